// A hundred thousand lives of random pools in which everything happens that can: what must hold after every step,
// down to the slots of the ring that the table makes of it. A seed names a life; it is in every message.
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "tests/unit/controlplane/failover/records.h"
#include "tests/unit/controlplane/failover/ring_of.h"
#include "tests/unit/controlplane/failover/sim.h"

namespace warmswap::failover {

/// All of a state that may differ, for messages.
static std::string text_of(const PoolState& pool) {
  std::string text = "doubt " + std::to_string(pool.doubt_until ? pool.doubt_until->count() / 1'000'000 : -1) +
                     (pool.panic ? " panic" : "");
  for (const BackendState& b : pool.backends) {
    text += "\n  " + b.name + " " + std::string(to_string(b.state)) + " health " + std::to_string(int(b.health)) +
            " good " + std::to_string(b.good_streak) + " bad " + std::to_string(b.bad_streak) + " beats " +
            std::to_string(int(b.beats)) + (b.ready ? "" : " not ready") + (b.ejected ? " ejected" : "") +
            (b.held ? " held" : "") + (b.vacated ? " vacated" : "") + (b.drill_until ? " drill" : "") + " since " +
            std::to_string(b.healthy_since.count() / 1'000'000);
  }
  for (const SeatState& s : pool.seats) {
    text += "\n  seat of " + pool.backends[s.owner].name + ": " + (s.holder ? pool.backends[*s.holder].name : "-") +
            (s.guest ? " guest " + pool.backends[*s.guest].name : "") + " " + std::to_string(s.guest_share) + " part " +
            std::to_string(s.part) + " ramp " + std::to_string(int(s.ramp)) + " " + std::to_string(s.ramp_share) +
            (s.doubtful ? " doubtful" : "") + " load " + std::to_string(s.load);
  }
  return text;
}

namespace {

using Random = std::mt19937_64;

constexpr uint32_t kRingSize = 251;

template <typename T>
T one_of(Random& random, std::initializer_list<T> values) {
  return values.begin()[random() % values.size()];
}

std::vector<config::BackendConfig> random_backends(Random& random) {
  std::vector<config::BackendConfig> backends;
  const size_t hots = 1 + random() % 6;
  const size_t warms = random() % 4;
  for (size_t i = 0; i < hots; ++i) {
    backends.push_back(hot("h" + std::to_string(i), "", one_of(random, {"", "a", "b"})));
    if (warms > 0 && random() % 3 == 0) backends.back().standby = "w" + std::to_string(random() % warms);
    backends.back().weight = one_of(random, {100u, 100u, 100u, 50u, 300u, 0u});
    if (random() % 3 == 0) backends.back().capacity = one_of(random, {50u, 120u, 200u, 400u});
  }
  for (size_t i = 0; i < warms; ++i) {
    backends.push_back(warm("w" + std::to_string(i), one_of(random, {"", "a", "b"})));
    if (random() % 2 == 0) backends.back().capacity = one_of(random, {60u, 150u, 250u});
  }
  return backends;
}

config::PoolConfig random_spec(Random& random) {
  config::PoolConfig spec = pool(random_backends(random));
  spec.mode = random() % 4 == 0 ? config::Mode::hot_hot : config::Mode::hot_warm;
  spec.failback = random() % 2 == 0 ? config::Failback::manual : config::Failback::automatic;
  spec.probe.fall = static_cast<uint32_t>(1 + random() % 3);
  spec.probe.rise = static_cast<uint32_t>(1 + random() % 2);
  if (random() % 8 == 0) spec.probe.kind = config::ProbeKind::none;
  spec.hold_down = std::chrono::seconds(1 + random() % 10);
  spec.hold_down_max = spec.hold_down * (1 + static_cast<int>(random() % 8));
  spec.flap_half_life = std::chrono::seconds(1 + random() % 60);
  spec.failback_step = one_of(random, {100u, 50u, 25u, 30u});
  spec.failback_pause = one_of<Nanoseconds>(random, {0s, 1s, 3s});
  spec.promotion_ramp = one_of<Nanoseconds>(random, {0s, 0s, 5s});
  spec.slow_start.window = one_of<Nanoseconds>(random, {0s, 0s, 8s});
  spec.activate_below = one_of(random, {100u, 100u, 70u});
  spec.trickle = one_of(random, {0u, 0u, 5u});
  spec.guard.fail = one_of(random, {config::Fail::open, config::Fail::closed});
  spec.guard.overload = one_of(random, {config::Overload::carry, config::Overload::shed});
  spec.guard.panic_threshold = one_of(random, {0u, 0u, 40u});
  spec.guard.self_suspicion = one_of(random, {0u, 80u});
  spec.anomaly.most = one_of(random, {0u, 10u, 50u});
  return spec;
}

struct Server {
  std::string name;    // "" = nobody
  bool guest = false;  // as a guest of the seat
  friend bool operator==(const Server& a, const Server& b) { return a.name == b.name; }
};

/// What the table makes of the seats, by slot.
std::vector<Server> served_by(const config::PoolConfig& spec, const PoolState& state) {
  const table::PoolRing ring = ring_of(spec, state, kRingSize);
  std::vector<Server> servers;
  for (const SeatState& seat : state.seats) {
    servers.push_back({seat.holder ? spec.backends[*seat.holder].name : ""});
  }
  for (size_t r = state.seats.size(); r < ring.records().size(); ++r) {
    servers.push_back({spec.backends[*state.seats[ring.records()[r]].guest].name, true});
  }
  std::vector<Server> by_slot;
  for (const uint16_t record : ring.ring()) by_slot.push_back(record == table::kNoSeat ? Server{} : servers[record]);
  return by_slot;
}

using Transitions = std::map<Role, std::map<std::pair<State, State>, std::set<std::string>>>;

class Life {
 public:
  explicit Life(uint64_t seed) : random_(seed), sim_(random_spec(random_)), looks_at_slots_(seed % 16 == 0) {}

  const Transitions& transitions() const { return transitions_; }

  void run(int events) {
    for (int i = 0; i < events && !::testing::Test::HasFatalFailure(); ++i) {
      pass_time();
      one_event();
    }
  }

 private:
  const std::string& random_name() { return sim_.spec.backends[random_() % sim_.spec.backends.size()].name; }

  /// To the deadline, a moment before it, or anywhere: time alone may change something at a deadline only.
  void pass_time() {
    const Outcome now = step(sim_.spec, sim_.state, Tick{}, sim_.now);
    expect_nothing_by(sim_.now, "a step left something to do");
    const Nanoseconds jump = std::chrono::milliseconds(random_() % 3000);
    if (!now.deadline) {
      expect_nothing_by(sim_.now + 1h, "time alone changed something without a deadline");
      sim_.now += jump;
    } else {
      ASSERT_GT(*now.deadline, sim_.now);
      expect_nothing_by(*now.deadline - 1ns, "something changed before the deadline");
      sim_.now = random_() % 2 == 0 ? *now.deadline : std::min(sim_.now + jump, *now.deadline);
    }
    take(Tick{});
  }

  void expect_nothing_by(Nanoseconds time, const char* otherwise) {
    const PoolState then = step(sim_.spec, sim_.state, Tick{}, time).state;
    ASSERT_EQ(then, sim_.state) << otherwise << "\nbefore: " << text_of(sim_.state) << "\nafter: " << text_of(then);
  }

  Event random_signal(const std::string& name) {
    switch (random_() % 10) {
      case 0:
        return BeatChange{name, one_of(random_, {Beats::silent, Beats::beating, Beats::late, Beats::lost}),
                          random_() % 8 != 0, "beat", sim_.now};
      case 1:
        return LoadShare{name, static_cast<uint16_t>(1 + random_() % kWhole)};
      case 2:
        return WarmUp{name, random_() % 2 == 0, "warm-up"};
      case 3:
      case 4:
      case 5:
      case 6:
        return ProbeResult{name, Probe::bad, "refused", sim_.now};
      default:
        return ProbeResult{name, Probe::good, "ok", sim_.now};
    }
  }

  Event random_event() {
    switch (random_() % 20) {
      case 0:
        return Enable{random_name()};
      case 1:
        return Disable{random_name()};
      case 2:
        return Failover{random_name(), random_() % 2 == 0 ? random_name() : ""};
      case 3:
        return Failback{random_name(), random_() % 2 == 0};
      case 4:
        return Swap{random_name(), random_name()};
      case 5:
        return Drill{random_name(), "", std::chrono::seconds(random_() % 10)};
      case 6:
        return FailoverDomain{one_of(random_, {"a", "b", "z"})};
      case 7:
        return Outlier{random_name(), "slow", sim_.now};
      case 8:
        return DrainOut{random_name(), std::chrono::seconds(1 + random_() % 30)};
      default:
        return random_signal(random_name());
    }
  }

  void one_event() {
    if (random_() % 4 == 0) return a_batch_in_any_order();
    take(random_event());
  }

  /// Signals of one instant are simultaneous, and an engine that gets them in another order agrees.
  void a_batch_in_any_order() {
    std::vector<Event> events;
    for (const config::BackendConfig& backend : sim_.spec.backends) {
      if (random_() % 2 == 0) events.push_back(random_signal(backend.name));
    }
    std::vector<Event> shuffled = events;
    std::shuffle(shuffled.begin(), shuffled.end(), random_);
    const PoolState other = step(sim_.spec, sim_.state, shuffled, sim_.now).state;
    note_transitions(sim_.send(events));
    ASSERT_EQ(sim_.state, other) << "two engines disagree about the same signals";
    check_state();
  }

  void take(const Event& event) {
    const PoolState before = sim_.state;
    const Outcome outcome = sim_.send(event);
    note_transitions(outcome);
    ASSERT_EQ(step(sim_.spec, before, event, sim_.now).state, outcome.state) << "not deterministic";
    if (!outcome.refusals.empty()) {
      const PoolState settled = step(sim_.spec, before, Tick{}, sim_.now).state;
      ASSERT_EQ(outcome.state, settled) << outcome.refusals[0].sentence;
    }
    check_state();
    check_pace(outcome);
    if (!looks_at_slots_) return;
    check_ring();
    if (is_a_failure(event)) check_survivors(before, outcome.state);
    if (!outcome.shares_changed) {
      ASSERT_EQ(served_by(sim_.spec, before), served_by(sim_.spec, sim_.state)) << "slots moved and nothing said so";
    }
  }

  void note_transitions(const Outcome& outcome) {
    for (const StateChange& change : outcome.states) {
      transitions_[sim_.find(change.backend).role][{change.from, change.to}].insert(
          std::string(to_string(change.cause)));
    }
  }

  static bool is_a_failure(const Event& event) {
    if (const auto* probe = std::get_if<ProbeResult>(&event)) return probe->outcome == Probe::bad;
    if (const auto* beat = std::get_if<BeatChange>(&event)) return beat->beats == Beats::lost && beat->ready;
    return std::holds_alternative<Outlier>(event);
  }

  void check_state() {
    std::map<uint32_t, uint64_t> held;
    std::map<uint32_t, uint32_t> seats;
    bool fit_one_serves = false;
    for (const SeatState& seat : sim_.state.seats) {
      const uint32_t weight = sim_.spec.backends[seat.owner].weight;
      if (!seat.holder) {
        ASSERT_FALSE(seat.guest.has_value());
        continue;
      }
      const BackendState& holder = sim_.state.backends[*seat.holder];
      ASSERT_EQ(holder.admin, Admin::enabled);
      if (!seat.doubtful) {
        ASSERT_EQ(holder.health, Health::up) << sim_.seats() << ": " << holder.name << " is not known to work";
      }
      fit_one_serves = fit_one_serves || (!seat.doubtful && weight > 0);
      ++seats[*seat.holder];
      held[*seat.holder] += uint64_t{weight} * seat.part / kWhole;
      if (seat.holder != seat.owner) {
        ASSERT_EQ(holder.role, Role::warm);
        ASSERT_FALSE(seat.doubtful);
      }
    }
    for (const auto& [backend, weight] : held) {
      const config::BackendConfig& config = sim_.spec.backends[backend];
      if (config.role == Role::hot || config.capacity == 0) {
        ASSERT_EQ(seats[backend], 1u) << config.name << " holds too many seats";
      } else {
        ASSERT_LE(weight, config.capacity) << config.name << " is over its capacity " << text_of(sim_.state);
      }
    }
    check_doubtful(fit_one_serves);
  }

  void check_doubtful(bool fit_one_serves) {
    for (const SeatState& seat : sim_.state.seats) {
      if (!seat.doubtful) continue;
      ASSERT_TRUE(sim_.state.panic && sim_.spec.guard.fail == config::Fail::open);
      if (sim_.spec.guard.panic_threshold == 0) {
        ASSERT_FALSE(fit_one_serves) << sim_.seats() << ": a dead one was chosen while a live one serves";
      }
    }
    for (const SeatState& seat : sim_.state.seats) {
      const BackendState& owner = sim_.state.backends[seat.owner];
      const bool could = owner.admin == Admin::enabled && owner.health == Health::up;
      if (fit_one_serves || sim_.spec.backends[seat.owner].weight == 0 || !could) continue;
      ASSERT_EQ(seat.holder, seat.owner) << sim_.seats() << ": nobody serves, and a healthy owner looks on";
    }
  }

  void check_ring() {
    bool anybody = false;
    for (const SeatAssignment& seat : assignment(sim_.spec, sim_.state)) {
      ASSERT_LE(seat.holder_share + seat.guest_share, seat.planned);
      ASSERT_LE(seat.planned, kWhole);
      ASSERT_EQ(seat.guest_share > 0, seat.guest.has_value());
      ASSERT_EQ(seat.holder_share + seat.guest_share > 0, seat.holder.has_value());
      anybody = anybody || (seat.holder && seat.weight > 0);
    }
    const bool sheds = sim_.state.overloaded && sim_.spec.guard.overload == config::Overload::shed;
    for (const Server& server : served_by(sim_.spec, sim_.state)) {
      ASSERT_TRUE(server.name.empty() || anybody);
      ASSERT_TRUE(!server.name.empty() || !anybody || sheds) << "a slot without a home although somebody serves";
    }
    if (sheds) check_shedding();
  }

  /// Of what has no home as much is dealt as there is room for, and what is served is not shed.
  void check_shedding() {
    const Burden all = burden(sim_.spec, sim_.state);
    const std::vector<SeatAssignment> seats = assignment(sim_.spec, sim_.state);
    bool unlimited = false;
    for (const SeatAssignment& seat : seats) {
      ASSERT_GE(std::min(seat.dealt, seat.planned), seat.holder_share + seat.guest_share);
      const bool inherits = seat.holder && seat.inherits && seat.weight > 0;
      unlimited = unlimited || (inherits && sim_.spec.backends[seat.owner].capacity == 0);
    }
    const double rounding = static_cast<double>(seats.size()) * 300 / kWhole;
    ASSERT_GE(all.shed, unlimited ? 0 : all.orphans - all.room - 1e-6) << text_of(sim_.state);
    ASSERT_LE(all.shed, unlimited ? 0 : all.orphans - all.room + rounding) << text_of(sim_.state);
  }

  /// No slot moves away from a backend that goes on holding the seat it was served by, because another one failed.
  void check_survivors(const PoolState& before, const PoolState& after) {
    if (before.panic || after.panic) return;  // then everything is shared anew, on purpose
    std::set<std::string> survivors;
    const std::vector<SeatAssignment> old_shares = assignment(sim_.spec, before);
    const std::vector<SeatAssignment> new_shares = assignment(sim_.spec, after);
    // Where nobody had room for orphans, whoever has some now relieves those that took them all the same.
    const auto had_room = [](const SeatAssignment& seat) { return seat.holder && seat.inherits && seat.inherit > 0; };
    if (std::none_of(old_shares.begin(), old_shares.end(), had_room)) return;
    for (size_t s = 0; s < before.seats.size(); ++s) {
      const SeatState& was = before.seats[s];
      const SeatState& is = after.seats[s];
      // Who steps in for another one may serve or inherit more than that one did: orphans that survivors had inherited.
      const auto served = [](const SeatAssignment& seat) { return seat.holder_share + seat.guest_share; };
      if (served(new_shares[s]) > served(old_shares[s]) || new_shares[s].inherits > old_shares[s].inherits) return;
      if (was.holder && was.holder == is.holder) survivors.insert(sim_.spec.backends[*was.holder].name);
    }
    const bool sheds = after.overloaded && sim_.spec.guard.overload == config::Overload::shed;
    const std::vector<Server> old_slots = served_by(sim_.spec, before);
    const std::vector<Server> new_slots = served_by(sim_.spec, after);
    for (size_t slot = 0; slot < old_slots.size(); ++slot) {
      if (old_slots[slot].guest || !survivors.contains(old_slots[slot].name)) continue;
      if (sheds && new_slots[slot].name.empty()) continue;  // of what it had inherited: its own is served
      ASSERT_EQ(new_slots[slot].name, old_slots[slot].name)
          << sim_.seats() << ": slot " << slot << " of a survivor moved\nbefore: " << text_of(before)
          << "\nafter: " << text_of(after);
    }
  }

  /// No seat goes back by itself sooner than the hold-down after its owner left it.
  void check_pace(const Outcome& outcome) {
    for (size_t s = 0; s < sim_.state.seats.size(); ++s) {
      const SeatState& was = outcome.seats_before[s];
      const SeatState& is = sim_.state.seats[s];
      const std::string& owner = sim_.state.backends[is.owner].name;
      const bool was_home = was.holder == was.owner || was.guest == was.owner;
      const bool is_home = is.holder == is.owner || is.guest == is.owner;
      if (was_home && !is_home) left_[owner] = sim_.now;
    }
    for (const SeatChange& change : outcome.seats) {
      const bool back = change.kind == SeatChangeKind::step || change.kind == SeatChangeKind::failback;
      if (!back || change.cause != Cause::hold_down || !left_.contains(change.owner)) continue;
      ASSERT_GE(sim_.now - left_[change.owner], sim_.spec.hold_down)
          << change.owner << " came back too soon: " << text_of(sim_.state);
    }
  }

  Random random_;
  Sim sim_;
  const bool looks_at_slots_;  // which takes most of the time
  std::map<std::string, Nanoseconds> left_;
  Transitions transitions_;
};

TEST(Life, InvariantsHoldInAHundredThousandLives) {
  for (uint64_t seed = 0; seed < lives(100'000); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life(seed).run(20);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

/// The state machine as it was seen to run, in the words of Mermaid. What leads to and from `disabled` and `ejected`,
/// from and to anywhere, is left to the text.
std::string diagram_of(const Transitions& transitions) {
  std::string text = "```mermaid\nstateDiagram-v2\n    direction LR\n";
  for (const Role role : {Role::hot, Role::warm}) {
    text += role == Role::hot ? "    state \"hot\" as hot {\n        [*] --> unknown\n"
                              : "    state \"warm\" as warm_role {\n        [*] --> cold\n";
    for (const auto& [edge, causes] : transitions.at(role)) {
      const auto aside = [](State state) { return state == State::disabled || state == State::ejected; };
      if (aside(edge.first) || aside(edge.second)) continue;
      std::string why;
      for (const std::string& cause : causes) why += (why.empty() ? "" : ", ") + cause;
      text += "        " + std::string(to_string(edge.first)) + " --> " + std::string(to_string(edge.second)) + ": " +
              why + "\n";
    }
    text += "    }\n";
  }
  return text + "```\n";
}

// The diagram in the documentation is what a few thousand lives do: to renew it, put the text of the failure there.
TEST(Life, TheDiagramInTheDocumentationIsTheStateMachine) {
  if (kSanitized) GTEST_SKIP() << "needs more lives than there is time for under a sanitizer";
  Transitions seen;
  for (uint64_t seed = 0; seed < 8'000; ++seed) {
    Life life(seed * 16 + 1);  // none that looks at slots
    life.run(20);
    for (const auto& [role, edges] : life.transitions()) {
      for (const auto& [edge, causes] : edges) seen[role][edge].insert(causes.begin(), causes.end());
    }
  }
  std::ifstream file(WARMSWAP_SOURCE_ROOT "/docs/redundancy.md");
  std::stringstream document;
  document << file.rdbuf();
  const std::string diagram = diagram_of(seen);
  EXPECT_NE(document.str().find(diagram), std::string::npos) << "docs/redundancy.md should have:\n" << diagram;
}

}  // namespace
}  // namespace warmswap::failover
