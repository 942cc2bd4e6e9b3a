// Sends packets to backends the clients' way, inside IPIP (RFC 2003) to the backend's address as the dataplane does it,
// and hears who answers a TCP handshake that was begun so. Needs CAP_NET_RAW; opened with the first use.
//
// Backends answer from the vip straight to this host, and this host's kernel, which knows of no such connection, resets
// them; the reset goes the way of all packets for the vip. The vip must not be an address of this host, or the kernel
// drops the answers, and rp_filter must not be strict where the way back is another one.
//
// Thread: everything happens on the one thread that runs the io_context; no call blocks.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>
#include <functional>
#include <memory>

#include "controlplane/health/prober.h"

namespace boost::asio {
class io_context;
}

namespace warmswap::health {

class Tunnel {
 public:
  enum class Answer { open, reset };
  using Heard = std::function<void(Answer)>;

  /// One handshake, from its SYN to the answer. Letting go of it gives its port back.
  struct Handshake;

  explicit Tunnel(boost::asio::io_context& io);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  /// Sends a SYN to the vip through the backend at `backend`; `heard` is called at most once, later. A handshake that
  /// comes about is ended with a reset, through the tunnel as well. Null, with the error, when it could not be sent.
  std::shared_ptr<Handshake> shake_hands(contract::Be32 backend, const TunnelPath& path, Heard heard,
                                         boost::system::error_code& error);

  /// Sends a datagram to the vip through the backend, from `from_port` of this host.
  void send_datagram(contract::Be32 backend, const TunnelPath& path, uint16_t from_port, std::string_view payload,
                     boost::system::error_code& error);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace warmswap::health
