// Loads the decapsulation program, fills its maps and hangs it on an interface's tc ingress hook. The program lives in
// the kernel and goes on working when the agent dies; whoever comes next finds it there by hook and name, so nothing is
// pinned and no state file is kept. Not thread-safe; needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/backend/decap_layout.h"
#include "dataplane/contract/byte_order.h"
#include "dataplane/contract/result.h"

struct decap_bpf;

namespace warmswap::backend {

using contract::Be32;
using contract::Result;

struct SourcePrefix {
  Be32 address;
  uint8_t length = 32;
};

struct DecapSettings {
  std::vector<Be32> vips;
  std::vector<Be32> addresses;        // outer destinations that are this host
  std::vector<SourcePrefix> sources;  // outer sources that may send; 0.0.0.0/0 = any
};

class DecapProgram {
 public:
  /// Loads the program and fills its maps; not attached yet.
  static Result<DecapProgram> load(const DecapSettings& settings);
  DecapProgram(DecapProgram&&) noexcept;
  DecapProgram& operator=(DecapProgram&&) noexcept;
  ~DecapProgram();

  /// Puts the program on the interface, in one step in the place of a predecessor's: no packet meets neither or both.
  /// Refuses when the place is taken by a foreign program.
  Result<void> attach(int ifindex);

  /// Makes the set of outer destinations equal to `addresses`, also while attached; others keep matching meanwhile.
  Result<void> set_addresses(const std::vector<Be32>& addresses);

  uint32_t id() const noexcept { return id_; }

 private:
  struct Close {
    void operator()(decap_bpf* skeleton) const noexcept;
  };
  explicit DecapProgram(std::unique_ptr<decap_bpf, Close> skeleton) noexcept;
  std::unique_ptr<decap_bpf, Close> skeleton_;
  uint32_t id_ = 0;
};

/// The program found on an interface.
struct AttachedProgram {
  uint32_t id = 0;
  bool own_qdisc = false;  // an agent created the clsact qdisc it hangs on
};

/// The program on the interface's hook: none, ours, or an error when the place belongs to somebody else. Opens nothing,
/// so it needs no capability.
Result<std::optional<AttachedProgram>> find_attached(int ifindex);

/// Takes the program off the interface, and the clsact qdisc too if an agent created it and nobody else uses it.
Result<void> detach(int ifindex);

}  // namespace warmswap::backend
