#include "controlplane/nexthop/neighbour_upkeep.h"

#include <cerrno>
#include <utility>

namespace warmswap::nexthop {
namespace {

void ignore(const nlmsghdr&) {}

}  // namespace

NeighbourUpkeep::NeighbourUpkeep(NetlinkSocket& requests, std::function<void(const std::string&)> log)
    : requests_(requests), log_(std::move(log)) {}

void NeighbourUpkeep::keep(const std::set<NeighbourKey>& wanted) {
  std::erase_if(kept_, [&](const NeighbourKey& neighbour) {
    if (wanted.contains(neighbour)) return false;
    requests_.request(use_neighbour(neighbour, Upkeep::once), ignore);  // without the managed flag: takes it away
    return true;
  });
  for (const NeighbourKey& neighbour : wanted) {
    if (!permitted_) return;
    if (!kept_.contains(neighbour) && ask(neighbour)) kept_.insert(neighbour);
  }
}

bool NeighbourUpkeep::ask(const NeighbourKey& neighbour) {
  int refused = requests_.request(use_neighbour(neighbour, Upkeep::managed), ignore);
  if (refused == EINVAL || refused == EOPNOTSUPP) {
    refused = requests_.request(use_neighbour(neighbour, Upkeep::once), ignore);
  }
  if (refused == EPERM) {
    permitted_ = false;
    log_(
        "not permitted to let the kernel keep neighbours resolved (CAP_NET_ADMIN is missing): relying on the traffic "
        "of the probes to do it");
  }
  return refused == 0;
}

}  // namespace warmswap::nexthop
