// Asks the kernel how backends are reached, and tells when that changes: route look-ups, link MTUs and neighbours' MACs
// by rtnetlink. No ARP of our own: the kernel resolves, and is asked to keep resolving, the neighbours in use.
//
// Runs on an Asio loop; every member and both callbacks belong to the loop's thread. Works without privileges; then
// the kernel forgets an idle neighbour sooner or later, which costs nothing while probes keep it in use.
//
// What it does not do: several next hops of one destination (the kernel's choice for it is taken), IPv6 gateways.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/nexthop/next_hop.h"
#include "dataplane/contract/result.h"

namespace boost::asio {
class io_context;
}

namespace warmswap::nexthop {

class Resolver {
 public:
  struct Callbacks {
    /// Some find() gives another answer than before. Called from the loop, some milliseconds after the first of a
    /// series of changes, never from within a member function.
    std::function<void()> on_change;
    /// A sentence for the log.
    std::function<void(const std::string&)> log;
  };

  /// Fails when the netlink sockets cannot be opened.
  static contract::Result<Resolver> open(boost::asio::io_context& loop, Callbacks callbacks);

  Resolver(Resolver&&) noexcept;
  Resolver& operator=(Resolver&&) noexcept;
  /// No callback is called afterwards.
  ~Resolver();

  /// The addresses to resolve from now on, instead of the former ones. Their answers come with on_change.
  void set_destinations(std::vector<Be32> destinations);

  /// As last told by on_change; nullopt = no route, or the MAC has not been learned yet.
  std::optional<NextHop> find(Be32 destination) const;

 private:
  class Impl;
  explicit Resolver(std::shared_ptr<Impl> impl) noexcept;
  std::shared_ptr<Impl> impl_;
};

}  // namespace warmswap::nexthop
