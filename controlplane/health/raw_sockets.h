// What probes send that the kernel's sockets do not: the beginning of a TCP handshake without a connection, and packets
// the clients' way, inside IPIP (RFC 2003) to the backend's address as the dataplane does it. Needs CAP_NET_RAW; opened
// with the first use.
//
// A handshake is never completed: the answer is heard, and this host's kernel, which knows of no such connection,
// resets it; no process at the backend sees anything. Through the tunnel we reset it as well, the clients' way. What
// the backend sends there comes from the vip straight to this host: the vip must not be an address of this host, or the
// kernel drops it, and rp_filter must not be strict where the way back is another one.
//
// Thread: everything happens on the one thread that runs the io_context; no call blocks.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "controlplane/health/prober.h"

namespace boost::asio {
class io_context;
}

namespace warmswap::health {

class RawSockets {
 public:
  enum class Answer { open, reset };
  using Heard = std::function<void(Answer)>;

  /// One handshake, from its SYN to the answer. Letting go of it frees its ports.
  struct Handshake;

  explicit RawSockets(boost::asio::io_context& io);
  ~RawSockets();
  RawSockets(const RawSockets&) = delete;
  RawSockets& operator=(const RawSockets&) = delete;

  /// Sends a SYN to the target's port, or through its tunnel to the vip's; `heard` is called at most once, later. Null,
  /// with the error, when it could not be sent. At most kPorts at once to the same address and port.
  std::shared_ptr<Handshake> shake_hands(const Target& target, Heard heard, boost::system::error_code& error);
  static constexpr size_t kPorts = 16;

  /// Sends a datagram to the vip through the target's tunnel, from `from_port` of this host.
  void send_datagram(const Target& target, uint16_t from_port, std::string_view payload,
                     boost::system::error_code& error);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace warmswap::health
