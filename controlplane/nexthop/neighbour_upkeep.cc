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
  std::erase_if(kept_,
                [&](const NeighbourKey& neighbour) { return !wanted.contains(neighbour) && release(neighbour); });
  for (const NeighbourKey& neighbour : wanted) {
    if (!permitted_) return;
    if (!kept_.contains(neighbour) && ask(neighbour)) kept_.insert(neighbour);
  }
}

NeighbourUpkeep::Entry NeighbourUpkeep::look_at(const NeighbourKey& neighbour) {
  Entry entry = Entry::unknown;
  const int refused = requests_.request(get_neighbour(neighbour), [&](const nlmsghdr& message) {
    if (const auto found = read_neighbour(message)) entry = found->fixed ? Entry::fixed : Entry::resolved_by_kernel;
  });
  return refused == ENOENT ? Entry::absent : entry;
}

bool NeighbourUpkeep::release(const NeighbourKey& neighbour) {
  const Entry entry = look_at(neighbour);
  if (entry == Entry::resolved_by_kernel) {
    requests_.request(use_neighbour(neighbour, Upkeep::once), ignore);  // without the managed flag: takes it away
  }
  return entry != Entry::unknown;
}

bool NeighbourUpkeep::ask(const NeighbourKey& neighbour) {
  const Entry entry = look_at(neighbour);
  if (entry == Entry::fixed || entry == Entry::unknown) return false;
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
