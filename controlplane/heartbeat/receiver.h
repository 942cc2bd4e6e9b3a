// Hears the agents: a UDP socket, the checks that a report must pass, and the tracker that notices silence.
//
// Thread: everything, the callbacks included, happens on the one thread that runs the io_context; no call blocks.
// A report that fails a check costs no memory and no log line, only a count: nothing an unauthenticated peer sends does
// more. One from an address that is no backend's is not even authenticated.
//
// A loop that was held up finds the beats of that time in the socket and takes them before it looks who is silent, so
// that its own pause is nobody's silence.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/heartbeat/tracker.h"
#include "dataplane/contract/agent_report.h"
#include "dataplane/contract/flow_hash.h"
#include "dataplane/contract/result.h"

namespace warmswap::heartbeat {

/// What became of datagrams.
enum class Verdict : uint8_t { accepted, malformed, version, unknown_backend, forged, replayed, clock_off };
inline constexpr size_t kVerdicts = 7;
std::string_view to_string(Verdict verdict) noexcept;

struct ReceiverOptions {
  std::string address;  // IPv4 to listen on
  uint16_t port = 0;
  contract::HashKey key;
  Nanoseconds max_clock_skew{0};
};

/// A backend to listen for. Several ids may share an address: one host in several pools.
struct Source {
  uint64_t id = 0;
  contract::Be32 address;
  uint32_t missed = 3;
};

class Receiver {
 public:
  struct Callbacks {
    std::function<void(const std::vector<Change>&)> on_changes;
    /// Of every report with a load.
    std::function<void(uint64_t id, const contract::AgentLoad&)> on_load;
  };

  /// Fails with a sentence when the address cannot be listened on. `io` must outlive the receiver.
  static contract::Result<std::unique_ptr<Receiver>> open(boost::asio::io_context& io, const ReceiverOptions& options,
                                                          Callbacks callbacks);
  virtual ~Receiver() = default;

  /// Replaces the backends; what is known of those that stay is kept.
  virtual void set_sources(const std::vector<Source>& sources) = 0;
  virtual void stop() = 0;

  virtual Pulse pulse(uint64_t id) const = 0;
  virtual std::array<uint64_t, kVerdicts> counts() const = 0;
  /// As bound; differs from the options where those said 0.
  virtual uint16_t port() const = 0;
};

}  // namespace warmswap::heartbeat
