// Changes of a Balancer's tables, as the control plane makes them when a backend dies and comes back. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "perf/micro/balancer.h"

namespace warmswap::perf {

enum class ChangeKind {
  seat,        // in one pool another backend takes the seat of backend 0, and gives it back
  every_pool,  // the same in every pool at once: a host that serves all of them
  redeal,      // in one pool nobody takes the seat: its slots are dealt to the others, and restored
};

/// "seat", "every-pool", "redeal"; anything else throws std::invalid_argument.
ChangeKind change_kind(std::string_view name);

class TableChange {
 public:
  TableChange(Balancer& balancer, ChangeKind kind) : balancer_(balancer), kind_(kind) {}

  /// Applies the change, or takes it back when it is applied, to what will be published next. True when it was applied.
  bool toggle();

 private:
  /// A new row in the place of the pool's, to be changed: those that were published are not touched any more.
  table::PoolRow& edit(size_t pool);

  Balancer& balancer_;
  ChangeKind kind_;
  bool applied_ = false;
  size_t pool_ = 0;
};

}  // namespace warmswap::perf
