// Between the model and the records of a snapshot: what is published of it, and what a restarted control plane reads
// back. One thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controlplane/counter_ids.h"
#include "controlplane/model.h"
#include "controlplane/table/snapshot_builder.h"
#include "dataplane/contract/result.h"

namespace warmswap::controlplane {

/// Keys of CounterIds.
std::string backend_key(const std::string& pool, const std::string& backend);

struct RecordSources {
  const Model& model;
  CounterIds& vip_ids;
  CounterIds& backend_ids;
  CounterIds::Sum vip_sum;
  CounterIds::Sum backend_sum;
  std::function<std::optional<table::Route>(contract::Be32)> route;
};

/// The rows of a snapshot of the model. Fails when the segment has no counter left for a vip or backend.
contract::Result<table::SnapshotRows> make_rows(const RecordSources& sources);

/// The rows for a publish after one with the rows `before`, when since then nothing has changed but the state of
/// `pools`: only their rows are made anew, so that a failover does not pay for the pools it does not touch.
contract::Result<table::SnapshotRows> renew_rows(const RecordSources& sources, const table::SnapshotRows& before,
                                                 const std::set<std::string>& pools);

/// What a snapshot says of the past. `base` and `root` must have been verified.
struct FoundBackend {
  failover::AdoptedBackend state;
  CounterIds::Entry counter;
};
struct Found {
  std::map<std::string, std::vector<FoundBackend>> pools;
  std::map<std::string, CounterIds::Entry> vips;
  std::map<contract::Be32, table::Route> routes;  // of the backends that hold a seat
  std::string overlay;
};
Found read_snapshot(const std::byte* base, const contract::SnapshotRoot& root);

}  // namespace warmswap::controlplane
