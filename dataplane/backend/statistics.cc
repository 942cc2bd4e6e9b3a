#include "dataplane/backend/statistics.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/backend/decap_layout.h"
#include "dataplane/backend/decap_program.h"
#include "dataplane/backend/netlink.h"
#include "dataplane/contract/descriptor.h"

namespace warmswap::backend {
namespace {

using contract::Descriptor;
using contract::Error;

struct Statistics {
  warmswap_attachment attachment{};
  std::array<uint64_t, WARMSWAP_DECAP_OUTCOME_COUNT> outcomes{};  // packets since it was attached, all CPUs
};

Error read_error(const char* what) {
  std::string sentence = fmt::format("{}: {}", what, std::strerror(errno));
  if (errno == EPERM) sentence += " (needs root, or CAP_SYS_ADMIN)";
  return Error{std::move(sentence)};
}

/// Reads what concerns us from one of the attached program's maps.
void read_map(int map, const bpf_map_info& info, Statistics& statistics) {
  const uint32_t first = 0;
  if (std::strcmp(info.name, "attachment") == 0 && info.value_size == sizeof(statistics.attachment))
    bpf_map_lookup_elem(map, &first, &statistics.attachment);
  if (std::strcmp(info.name, "outcomes") != 0) return;
  std::vector<uint64_t> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
  // A predecessor of another version may know fewer or more outcomes.
  const uint32_t known = std::min<uint32_t>(info.max_entries, WARMSWAP_DECAP_OUTCOME_COUNT);
  for (uint32_t outcome = 0; outcome < known; ++outcome) {
    if (bpf_map_lookup_elem(map, &outcome, per_cpu.data()) != 0) continue;
    for (const uint64_t packets : per_cpu) statistics.outcomes[outcome] += packets;
  }
}

Result<Statistics> read_statistics(uint32_t program_id) {
  const Descriptor program(bpf_prog_get_fd_by_id(program_id));
  if (program.get() < 0) return read_error("cannot open the attached program");
  std::array<uint32_t, 16> map_ids{};
  bpf_prog_info info{};
  info.nr_map_ids = map_ids.size();
  info.map_ids = reinterpret_cast<uintptr_t>(map_ids.data());
  uint32_t bytes = sizeof info;
  if (bpf_obj_get_info_by_fd(program.get(), &info, &bytes) != 0)
    return read_error("cannot read about the attached program");
  Statistics statistics;
  const size_t maps = std::min<size_t>(info.nr_map_ids, map_ids.size());
  for (size_t i = 0; i < maps; ++i) {
    const Descriptor map(bpf_map_get_fd_by_id(map_ids[i]));
    bpf_map_info map_info{};
    uint32_t map_bytes = sizeof map_info;
    if (map.get() < 0 || bpf_obj_get_info_by_fd(map.get(), &map_info, &map_bytes) != 0)
      return read_error("cannot open a map of the attached program");
    read_map(map.get(), map_info, statistics);
  }
  return statistics;
}

}  // namespace

Result<std::string> describe_statistics(const std::string& interface, bool json) {
  static constexpr std::pair<std::string_view, std::string_view> kOutcomes[] = {
#define WARMSWAP_DECAP(name, text) {#name, text},
#include "dataplane/backend/decap_outcomes.def"
#undef WARMSWAP_DECAP
  };
  Result<int> ifindex = index_of(interface);
  if (!ifindex) return Error{ifindex.error()};
  Result<std::optional<AttachedProgram>> found = find_attached(*ifindex);
  if (!found) return Error{found.error()};
  if (!found->has_value()) return Error{fmt::format("no warmswap-agent has attached its program to {}", interface)};
  const uint32_t id = (*found)->id;
  Result<Statistics> statistics = read_statistics(id);
  if (!statistics) return Error{statistics.error()};
  std::string text;
  if (json)
    text = fmt::format(R"({{"interface":"{}","program_id":{},"attached_by_pid":{},"packets":{{)", interface, id,
                       statistics->attachment.pid);
  else
    text = fmt::format("{}: program {} attached by process {}\n{:>14}  {}\n", interface, id, statistics->attachment.pid,
                       "packets", "outcome");
  for (size_t i = 0; i < std::size(kOutcomes); ++i) {
    const auto& [name, meaning] = kOutcomes[i];
    if (json)
      text += fmt::format(R"({}"{}":{})", i == 0 ? "" : ",", name, statistics->outcomes[i]);
    else
      text += fmt::format("{:>14}  {}: {}\n", statistics->outcomes[i], name, meaning);
  }
  return text + (json ? "}}\n" : "");
}

}  // namespace warmswap::backend
