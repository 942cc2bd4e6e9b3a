#include "controlplane/api/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "controlplane/api/protocol.h"
#include "controlplane/api/text.h"
#include "controlplane/api/words.h"
#include "dataplane/contract/drop_reason.h"

namespace warmswap::api {

namespace {

using Label = std::pair<std::string_view, std::string_view>;
using Labels = std::initializer_list<Label>;

/// Writes families: all samples of a family stand together under one HELP and TYPE, as the format demands.
class Exposition {
 public:
  void counter(std::string_view name, std::string_view help) { family(name, help, "counter"); }
  void gauge(std::string_view name, std::string_view help) { family(name, help, "gauge"); }

  template <typename Number>
  void sample(Labels labels, Number value) {
    text_ += name_;
    char separator = '{';
    for (const auto& [label, content] : labels) {
      text_ += separator;
      text_ += label;
      text_ += "=\"";
      escape(content);
      text_ += '"';
      separator = ',';
    }
    if (labels.size() > 0) text_ += '}';
    text_ += ' ';
    text_ += fmt::to_string(value);
    text_ += '\n';
  }
  template <typename Number>
  void sample(Number value) {
    sample({}, value);
  }

  /// Cumulative buckets, sum and count, as the format has them.
  void histogram(std::string_view name, std::string_view help, const Histogram& values) {
    family(name, help, "histogram");
    const std::string base = name_;
    uint64_t count = 0;
    name_ = base + "_bucket";
    for (size_t i = 0; i < values.buckets.size(); ++i) {
      count += values.buckets[i];
      const bool last = i == kHistogramBounds.size();
      sample({{"le", last ? std::string("+Inf") : fmt::to_string(kHistogramBounds[i])}}, count);
    }
    name_ = base + "_sum";
    sample(values.sum_seconds);
    name_ = base + "_count";
    sample(count);
  }

  std::string take() { return std::move(text_); }

 private:
  void family(std::string_view name, std::string_view help, std::string_view type) {
    name_ = "warmswap_";
    name_ += name;
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name_, help, type);
  }

  void escape(std::string_view content) {
    for (const char c : valid_utf8(content)) {
      if (c == '\n') {
        text_ += "\\n";
        continue;
      }
      if (c == '\\' || c == '"') text_ += '\\';
      text_ += c;
    }
  }

  std::string text_;
  std::string name_;
};

template <typename Duration>
double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

int flag(bool value) {
  return value ? 1 : 0;
}

void write_publish(Exposition& out, const PublishView& publish) {
  out.counter("publishes_total", "Snapshots published by this control plane process.");
  out.sample(publish.count);
  const auto last = [&](std::string_view name, std::string_view help, std::optional<Microseconds> value) {
    if (!value) return;
    out.gauge(name, help);
    out.sample(seconds(*value));
  };
  last("publish_build_seconds", "Time the last snapshot took to describe, from the model to its rows.", publish.build);
  last("publish_duration_seconds", "Time the last publish took: blocks written, verified and switched.",
       publish.publish);
  last("publish_ack_seconds", "Time from the last publish until every live worker used it.", publish.last_ack);
}

void write_status(Exposition& out, const Status& status) {
  out.gauge("build_info", "Always 1; the labels tell what runs.");
  out.sample({{"version", status.version}, {"abi", fmt::format("{}", status.abi)}, {"instance", status.instance}}, 1);
  out.gauge("uptime_seconds", "Time since this control plane process started.");
  out.sample(seconds(status.uptime));
  out.gauge("generation", "Generation of the current snapshot, 0 before the first.");
  out.sample(status.generation);
  out.gauge("dataplane_up", "1 while the dataplane is attached and its housekeeping ticks.");
  out.sample(flag(status.dataplane.alive));
  out.gauge("dataplane_epoch", "Raised by one at each start of the dataplane.");
  out.sample(status.dataplane.epoch);
  out.gauge("lease_remaining_seconds", "Time until the dataplane freezes without a sign of the control plane.");
  out.sample(seconds(status.lease.remaining));
  out.counter("lease_expiries_total", "Leases the dataplane saw run out.");
  out.sample(status.lease.expiries);
  out.counter("failovers_total", "Seats taken by a standby or dealt to others since the process started.");
  out.sample(status.counts.failovers);
  out.counter("failbacks_total", "Seats given back to their owner since the process started.");
  out.sample(status.counts.failbacks);
  out.counter("seat_changes_total", "Changes of who serves a seat since the process started, by kind and cause.");
  for (const FailoverFigures::Change& change : status.failover.changes) {
    out.sample({{"pool", change.pool}, {"kind", change.kind}, {"cause", change.cause}}, change.count);
  }
  out.histogram("failover_detection_seconds", "First bad signal to decision, of seats that were lost.",
                status.failover.detection);
  out.histogram("failover_switch_seconds", "Decision to the last worker that has the new table.",
                status.failover.switching);
  out.counter("journal_lines_lost_total", "Lines of the event journal that could not be written.");
  out.sample(status.journal_lines_lost);
  out.counter("heartbeats_total", "Datagrams on the heartbeat socket, by what became of them.");
  for (const HeartbeatCount& count : status.heartbeats) out.sample({{"verdict", count.verdict}}, count.datagrams);
  write_publish(out, status.publish);
}

void write_workers(Exposition& out, const std::vector<WorkerView>& workers) {
  const auto each = [&](auto read) {
    for (const WorkerView& worker : workers) {
      const std::string index = fmt::format("{}", worker.index);
      const std::string cpu = fmt::format("{}", worker.cpu);
      out.sample({{"worker", index}, {"cpu", cpu}}, read(worker));
    }
  };
  out.gauge("worker_online", "1 while the worker runs.");
  each([](const WorkerView& w) { return flag(w.online); });
  out.gauge("worker_generation", "Generation the worker finished its last burst with.");
  each([](const WorkerView& w) { return w.generation; });
  out.gauge("worker_tick_age_seconds", "Time since the worker last showed life.");
  each([](const WorkerView& w) { return seconds(w.tick_age); });
  out.counter("worker_received_packets_total", "Packets received.");
  each([](const WorkerView& w) { return w.received_packets; });
  out.counter("worker_received_bytes_total", "Bytes received.");
  each([](const WorkerView& w) { return w.received_bytes; });
  out.counter("worker_forwarded_packets_total", "Packets sent to a backend.");
  each([](const WorkerView& w) { return w.forwarded_packets; });
  out.counter("worker_passed_packets_total",
              "Packets that are not for a vip: the kernel's. Those it could not be given are drops, too.");
  each([](const WorkerView& w) { return w.passed_packets; });
  out.counter("worker_loops_total", "Rounds of the poll loop.");
  each([](const WorkerView& w) { return w.loops; });
  out.counter("worker_idle_loops_total", "Rounds of the poll loop that found no packet.");
  each([](const WorkerView& w) { return w.idle_loops; });
}

void write_vips(Exposition& out, const std::vector<VipView>& vips) {
  out.counter("vip_packets_total", "Packets that arrived for the vip.");
  for (const VipView& vip : vips) out.sample({{"vip", vip.name}, {"pool", vip.pool}}, vip.packets);
  out.counter("vip_bytes_total", "Layer-3 bytes for the vip as received from clients.");
  for (const VipView& vip : vips) out.sample({{"vip", vip.name}, {"pool", vip.pool}}, vip.bytes);
}

void write_pools(Exposition& out, const std::vector<PoolView>& pools) {
  out.gauge("pool_ring_slots", "Slots of the pool's ring.");
  for (const PoolView& pool : pools) out.sample({{"pool", pool.name}}, pool.ring_size);
  out.gauge("pool_slots_without_backend", "Slots whose packets are dropped because no backend is left.");
  for (const PoolView& pool : pools) out.sample({{"pool", pool.name}}, pool.slots_without_backend);
  const auto each_seat = [&](auto read) {
    for (const PoolView& pool : pools) {
      for (const SeatView& seat : pool.seats) out.sample({{"pool", pool.name}, {"owner", seat.owner}}, read(seat));
    }
  };
  out.gauge("seat_held", "1 while anybody holds the seat.");
  each_seat([](const SeatView& seat) { return flag(seat.holder.has_value()); });
  out.gauge("seat_held_by_owner", "1 while the seat's owner holds it, 0 while a standby or nobody does.");
  each_seat([](const SeatView& seat) { return flag(seat.holder == seat.owner); });
  out.gauge("seat_slots", "Slots that lead to the seat.");
  each_seat([](const SeatView& seat) { return seat.slots; });
}

/// One series per state, 1 for the one it is in, so that queries never join on label values.
void write_states(Exposition& out, const std::vector<BackendView>& backends) {
  out.gauge("backend_state", "1 for the state the backend is in.");
  for (const BackendView& backend : backends) {
    for (const std::string_view state : kBackendStates) {
      out.sample({{"pool", backend.pool}, {"backend", backend.name}, {"state", state}}, flag(backend.state == state));
    }
  }
}

void write_time_in_state(Exposition& out, const std::vector<BackendView>& backends) {
  out.counter("backend_state_seconds_total", "Time spent in each state since the process started.");
  for (const BackendView& backend : backends) {
    for (const auto& [state, time] : backend.time_in_state) {
      out.sample({{"pool", backend.pool}, {"backend", backend.name}, {"state", state}}, time);
    }
  }
}

/// What the agents say, of backends that have one.
void write_agents(Exposition& out, const std::vector<BackendView>& backends) {
  out.gauge("backend_heartbeat", "1 while heartbeats come in time, 0 while they are late or lost.");
  for (const BackendView& b : backends) {
    if (b.heartbeat.empty() || b.heartbeat == "silent") continue;
    out.sample({{"pool", b.pool}, {"backend", b.name}}, flag(b.heartbeat == "beating"));
  }
  out.gauge("backend_load", "Load as the agent reports it, weighted and smoothed, 0 to 1.");
  for (const BackendView& b : backends) {
    if (b.load) out.sample({{"pool", b.pool}, {"backend", b.name}}, *b.load);
  }
  out.gauge("backend_carried_weight", "Its share of the pool's slots, in the unit of weight.");
  for (const BackendView& b : backends) out.sample({{"pool", b.pool}, {"backend", b.name}}, b.carries);
  out.gauge("backend_capacity_weight", "What it has capacity for, in the unit of weight; absent without a capacity.");
  for (const BackendView& b : backends) {
    if (b.capacity > 0) out.sample({{"pool", b.pool}, {"backend", b.name}}, b.capacity);
  }
  out.gauge("backend_load_share", "Part of its weight that its load leaves the backend.");
  for (const BackendView& b : backends) {
    if (b.load_share) out.sample({{"pool", b.pool}, {"backend", b.name}}, *b.load_share);
  }
}

void write_handshakes(Exposition& out, const std::vector<BackendView>& backends) {
  out.counter("backend_handshakes_total", "Clients' handshakes that the workers sampled, by what became of them.");
  for (const BackendView& b : backends) {
    if (!b.handshakes) continue;
    const auto sample = [&](std::string_view outcome, uint64_t count) {
      out.sample({{"pool", b.pool}, {"backend", b.name}, {"outcome", outcome}}, count);
    };
    sample("completed", b.handshakes->completed);
    sample("retransmitted", b.handshakes->retransmitted);
    sample("lapsed", b.handshakes->lapsed);
  }
  out.gauge("backend_handshake_seconds", "Mean time of late from a client's SYN to its ACK, of sampled handshakes.");
  for (const BackendView& b : backends) {
    if (b.handshakes && b.handshakes->time) {
      out.sample({{"pool", b.pool}, {"backend", b.name}}, seconds(*b.handshakes->time));
    }
  }
}

void write_backends(Exposition& out, const std::vector<BackendView>& backends) {
  const auto each = [&](auto read) {
    for (const BackendView& backend : backends) {
      out.sample({{"pool", backend.pool}, {"backend", backend.name}}, read(backend));
    }
  };
  out.counter("backend_packets_total", "Packets forwarded to the backend.");
  each([](const BackendView& b) { return b.packets; });
  out.counter("backend_bytes_total", "Layer-3 bytes forwarded to the backend, without encapsulation.");
  each([](const BackendView& b) { return b.bytes; });
  out.counter("backend_failures_total", "Times the backend was declared failed.");
  each([](const BackendView& b) { return b.failures; });
  out.gauge("backend_weight", "Configured weight.");
  each([](const BackendView& b) { return b.weight; });
  out.gauge("backend_slots", "Slots the backend serves.");
  each([](const BackendView& b) { return b.slots; });
  out.gauge("backend_enabled", "0 while an operator keeps the backend out.");
  each([](const BackendView& b) { return flag(b.enabled); });
  out.gauge("backend_next_hop_resolved", "1 while the MAC address of the backend's next hop is known.");
  each([](const BackendView& b) { return flag(b.next_hop.resolved); });
  write_states(out, backends);
  write_time_in_state(out, backends);
  out.gauge("backend_flaps", "Failures of late; each after the first doubles the hold-down.");
  each([](const BackendView& b) { return b.flaps; });
  out.gauge("backend_warmth", "Part of the pool's warm.rate that the standby holds, 0 to 1.");
  for (const BackendView& b : backends) {
    if (b.warmth) out.sample({{"pool", b.pool}, {"backend", b.name}}, *b.warmth);
  }
  out.gauge("backend_response_time_seconds", "Average response time of good probes, smoothed.");
  for (const BackendView& b : backends) {
    if (b.response_time) out.sample({{"pool", b.pool}, {"backend", b.name}}, seconds(*b.response_time));
  }
  write_handshakes(out, backends);
  write_agents(out, backends);
  out.gauge("backend_probe_latency_seconds", "Time the last probe took.");
  for (const BackendView& b : backends) {
    if (b.last_probe) out.sample({{"pool", b.pool}, {"backend", b.name}}, seconds(b.last_probe->latency));
  }
  out.gauge("backend_probe_success", "1 when the last probe succeeded.");
  for (const BackendView& b : backends) {
    if (b.last_probe) out.sample({{"pool", b.pool}, {"backend", b.name}}, flag(b.last_probe->outcome == "success"));
  }
}

void write_drops(Exposition& out, const std::vector<DropView>& drops, const std::vector<WorkerView>& workers) {
  out.counter("dropped_packets_total", "Packets dropped, by reason; `warmswapctl drops` says what each means.");
  for (const DropView& drop : drops) {
    const std::string_view reason = contract::kDropReasons[static_cast<size_t>(drop.reason)].name;
    for (size_t i = 0; i < std::min(drop.per_worker.size(), workers.size()); ++i) {
      out.sample({{"reason", reason}, {"worker", fmt::format("{}", workers[i].index)}}, drop.per_worker[i]);
    }
  }
}

}  // namespace

std::string render_metrics(const MetricsInput& input) {
  Exposition out;
  write_status(out, input.status);
  write_workers(out, input.status.dataplane.workers);
  write_vips(out, input.vips);
  write_pools(out, input.pools);
  write_backends(out, input.backends);
  write_drops(out, input.drops, input.status.dataplane.workers);
  return out.take();
}

}  // namespace warmswap::api
