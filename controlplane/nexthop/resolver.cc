#include "controlplane/nexthop/resolver.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "controlplane/nexthop/neighbour_upkeep.h"
#include "controlplane/nexthop/netlink_messages.h"
#include "controlplane/nexthop/netlink_socket.h"
#include "controlplane/nexthop/next_hop_table.h"

namespace warmswap::nexthop {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// One change of the network comes as a handful of notifications within a millisecond or two.
constexpr auto kSettleTime = 5ms;
// Some things change without a notification (a path MTU learned by ICMP, for one).
constexpr auto kFullInterval = 30s;
// A route look-up takes about 3 µs; a slice keeps the loop for less than a millisecond.
constexpr size_t kLookupsPerSlice = 256;

}  // namespace

/// A change leads to a pass: links, then a route look-up per destination, in slices, then neighbours, then upkeep of
/// the neighbours in use, then on_change if an answer differs. Notifications during a pass start another one after it.
class Resolver::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& loop, NetlinkSocket requests, NetlinkSocket notifications, Callbacks callbacks)
      : requests_(std::move(requests)),
        notifications_(std::move(notifications)),
        readable_(loop, notifications_.descriptor()),
        settle_(loop),
        full_(loop),
        callbacks_(std::move(callbacks)),
        upkeep_(requests_, callbacks_.log) {}

  void start() {
    wait_for_notifications();
    wait_for_full();
  }

  void stop() {
    stopped_ = true;
    readable_.release();  // the socket closes its descriptor itself
    settle_.cancel();
    full_.cancel();
  }

  void set_destinations(std::vector<Be32> destinations) {
    std::sort(destinations.begin(), destinations.end());
    destinations.erase(std::unique(destinations.begin(), destinations.end()), destinations.end());
    destinations_ = std::move(destinations);
    schedule(Need::pass);
  }

  std::optional<NextHop> find(Be32 destination) const {
    const auto found = told_.find(destination);
    return found != told_.end() ? std::optional(found->second) : std::nullopt;
  }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Need : uint8_t { comparison, pass };

  void wait_for_notifications() {
    readable_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](const boost::system::error_code& failed) {
                           if (self->stopped_ || failed) return;
                           self->take_notifications();
                           self->wait_for_notifications();
                         });
  }

  void wait_for_full() {
    full_.expires_after(kFullInterval);
    full_.async_wait([self = shared_from_this()](const boost::system::error_code& failed) {
      if (self->stopped_ || failed) return;
      self->schedule(Need::pass);
      self->wait_for_full();
    });
  }

  void take_notifications() {
    const int lost = notifications_.receive([this](const nlmsghdr& message) {
      if (message.nlmsg_type == RTM_NEWNEIGH || message.nlmsg_type == RTM_DELNEIGH) {
        if (const auto neighbour = read_neighbour(message)) take_neighbour(*neighbour);
      } else {
        schedule(Need::pass);  // a link, an address, a route or a rule
      }
    });
    if (lost != 0) schedule(Need::pass);  // which asks for everything anew
  }

  void take_neighbour(const NeighbourMessage& neighbour) {
    if (neighbour.mac && !neighbour.removed) {
      table_.learn(neighbour.key, *neighbour.mac);
      schedule(Need::comparison);
    }
    // Flushed, or made permanent: its upkeep went with it. One that is flushed is to be resolved anew.
    if (neighbour.removed || neighbour.fixed) upkeep_.lost(neighbour.key);
    if (neighbour.removed && table_.neighbours().contains(neighbour.key)) schedule(Need::pass);
  }

  /// The timer is not restarted by further changes: a network that never rests must not put the answer off for ever.
  void schedule(Need need) {
    pass_needed_ |= need == Need::pass;
    if (settling_ || passing_) return;
    settling_ = true;
    // Four times the last pass bounds the share of the loop that a network in permanent change can take.
    settle_.expires_after(kSettleTime + 4 * last_pass_);
    settle_.async_wait([self = shared_from_this()](const boost::system::error_code& failed) {
      self->settling_ = false;
      if (!self->stopped_ && !failed) self->work();
    });
  }

  void work() {
    if (!std::exchange(pass_needed_, false)) return compare();
    passing_ = true;
    pass_started_ = Clock::now();
    take_links();
    looked_up_ = 0;
    routes_.clear();
    pass_destinations_ = destinations_;
    look_up_slice();
  }

  void take_links() {
    std::set<uint32_t> gone = links_;
    const bool known = ask(dump_links(), "links", [&](const nlmsghdr& message) {
      const auto link = read_link(message);
      if (!link) return;
      gone.erase(link->index);
      links_.insert(link->index);
      table_.set_link(link->index, link->link);
    });
    if (!known) return;
    for (const uint32_t index : gone) {
      links_.erase(index);
      table_.remove_link(index);
    }
  }

  void look_up_slice() {
    const size_t end = std::min(pass_destinations_.size(), looked_up_ + kLookupsPerSlice);
    for (; looked_up_ < end; ++looked_up_) {
      const Be32 destination = pass_destinations_[looked_up_];
      const int refused = requests_.request(get_route(destination), [&](const nlmsghdr& message) {
        if (const auto route = read_route(message, destination)) routes_.emplace(destination, *route);
      });
      if (refused == 0 || means_no_route(refused)) continue;
      route_fault_ = refused;
      if (const auto before = table_.route(destination)) routes_.emplace(destination, *before);
    }
    if (looked_up_ == pass_destinations_.size()) return finish_pass();
    asio::post(readable_.get_executor(), [self = shared_from_this()] {
      if (!self->stopped_) self->look_up_slice();
    });
  }

  void finish_pass() {
    if (const int fault = std::exchange(route_fault_, 0)) tell_unreadable("routes", fault);
    table_.set_routes(std::move(routes_));
    routes_.clear();
    std::set<NeighbourKey> kept = table_.neighbours();
    const bool known = ask(dump_neighbours(), "neighbours", [&](const nlmsghdr& message) {
      const auto neighbour = read_neighbour(message);
      if (!neighbour) return;
      if (neighbour->mac) table_.learn(neighbour->key, *neighbour->mac);
      if (neighbour->fixed) kept.erase(neighbour->key);
    });
    if (known) upkeep_.keep(kept);
    last_pass_ = Clock::now() - pass_started_;
    passing_ = false;
    if (pass_needed_) schedule(Need::pass);
    compare();
  }

  /// Whether the answer is whole: what is missing in it is missing in the kernel.
  bool ask(Request request, const char* what, const MessageHandler& handler) {
    const int refused = requests_.request(request, handler);
    if (refused == 0) return true;
    if (refused == EINTR) {
      pass_needed_ = true;  // something changed during the dump
      return false;
    }
    tell_unreadable(what, refused);
    return false;
  }

  void tell_unreadable(const char* what, int fault) {
    callbacks_.log(std::string("cannot read the kernel's ") + what + ": " + std::strerror(fault) +
                   "; next hops stay as they were");
  }

  void compare() {
    std::map<Be32, NextHop> now = table_.all();
    if (now == told_) return;
    told_ = std::move(now);
    callbacks_.on_change();
  }

  NetlinkSocket requests_;
  NetlinkSocket notifications_;
  asio::posix::stream_descriptor readable_;
  asio::steady_timer settle_;
  asio::steady_timer full_;
  Callbacks callbacks_;

  std::vector<Be32> destinations_;
  NextHopTable table_;
  std::map<Be32, NextHop> told_;
  std::set<uint32_t> links_;
  NeighbourUpkeep upkeep_;

  // The pass under way.
  std::vector<Be32> pass_destinations_;
  std::map<Be32, Route> routes_;
  size_t looked_up_ = 0;
  int route_fault_ = 0;  // an errno; of many, the last
  Clock::time_point pass_started_;
  Clock::duration last_pass_{};

  bool stopped_ = false;
  bool settling_ = false;
  bool passing_ = false;
  bool pass_needed_ = false;
};

contract::Result<Resolver> Resolver::open(asio::io_context& loop, Callbacks callbacks) {
  auto requests = NetlinkSocket::for_requests();
  if (!requests) return contract::Error{requests.error()};
  auto notifications = NetlinkSocket::for_notifications(
      {RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_NEXTHOP});
  if (!notifications) return contract::Error{notifications.error()};
  auto impl =
      std::make_shared<Impl>(loop, std::move(requests).value(), std::move(notifications).value(), std::move(callbacks));
  impl->start();
  return Resolver(std::move(impl));
}

Resolver::Resolver(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Resolver::Resolver(Resolver&&) noexcept = default;
Resolver& Resolver::operator=(Resolver&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}
Resolver::~Resolver() {
  if (impl_) impl_->stop();
}

void Resolver::set_destinations(std::vector<Be32> destinations) {
  impl_->set_destinations(std::move(destinations));
}
std::optional<NextHop> Resolver::find(Be32 destination) const {
  return impl_->find(destination);
}

}  // namespace warmswap::nexthop
