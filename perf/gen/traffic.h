// What traffic is to be generated: plain values, filled from options or from a profile. Frame sizes are counted as
// RFC 2544 does, with the 4-byte frame check sequence: the smallest Ethernet frame has 64.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/contract/wire.h"
#include "perf/gen/address.h"

namespace warmswap::gen {

enum class Transport : uint8_t { tcp, udp };

/// What a TCP segment is. UDP knows only `data`. Only `data` takes the stream's frame sizes; the others carry nothing
/// and are as small as Ethernet allows.
enum class Kind : uint8_t { syn, ack, data, fin };
inline constexpr uint32_t kKinds = 4;

/// Which flow the next packet belongs to.
enum class Choice : uint8_t {
  uniform,     // any, with equal chance
  zipf,        // the k-th most popular in proportion to 1/k^exponent
  sequential,  // one after the other
  fresh,       // one that hardly ever was before: no flow is remembered or checked (a flood)
};

struct SizeWeight {
  uint16_t bytes = 64;
  uint32_t weight = 1;
  friend bool operator==(const SizeWeight&, const SizeWeight&) = default;
};
struct KindWeight {
  Kind kind = Kind::data;
  uint32_t weight = 1;
  friend bool operator==(const KindWeight&, const KindWeight&) = default;
};

inline constexpr uint32_t kMaxStreams = 15;
inline constexpr uint64_t kMaxFlows = 200'000'000;
inline constexpr uint16_t kFcsBytes = 4;
inline constexpr uint16_t kSmallestFrame = 64;
inline constexpr uint16_t kLargestFrame = 9018;

struct StreamConfig {
  std::string name = "stream";
  Transport transport = Transport::tcp;
  std::vector<IpAddress> vips;  // all of one family
  PortRange ports{80, 80};
  std::vector<AddressPrefix> sources;  // empty: default_sources()
  PortRange source_ports{1024, 65535};
  uint64_t flows = 10'000;
  Choice choice = Choice::uniform;
  double zipf_exponent = 1;
  std::vector<SizeWeight> sizes = std::vector<SizeWeight>(1);
  std::vector<KindWeight> kinds = std::vector<KindWeight>(1);
  /// Data segments between SYN and FIN when every flow lives connections one after the other; `kinds` is unused then.
  std::optional<uint32_t> life_cycle;
  double weight = 1;                 // share of the traffic's rate
  std::optional<double> fixed_rate;  // packets/s whatever the traffic's rate; `weight` is unused then

  bool v6() const noexcept { return !vips.empty() && vips.front().v6; }
};

struct TrafficConfig {
  std::vector<StreamConfig> streams;
  uint64_t seed = 1;
  std::optional<contract::MacAddress> source_mac;  // none: the transmitting port's
  contract::MacAddress destination_mac{0x02, 0, 0, 0, 0, 0x01};
};

/// Sources when the stream names none: 10.0.0.0/8 or 2001:db8:1::/64.
std::vector<AddressPrefix> default_sources(bool v6);

/// A stream of SYNs at `rate` packets/s from all addresses kept free for benchmarks to the vips of `beside`.
StreamConfig syn_flood(const StreamConfig& beside, double rate);

/// The smallest frame, FCS included, that has room for the headers and a signature.
uint16_t smallest_frame(bool v6, Transport transport, Kind kind);

}  // namespace warmswap::gen
