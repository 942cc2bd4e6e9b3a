// Random pools, random events: what must hold after every single step, whatever happened. The model of who is healthy
// is the test's own, rebuilt from the probes it sent. A seed names a run; it is in every message.
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "tests/unit/controlplane/failover/records.h"
#include "tests/unit/controlplane/failover/sim.h"

namespace warmswap::failover {
namespace {

using Random = std::mt19937_64;

config::PoolConfig random_pool(Random& random) {
  static const char* const kDomains[] = {"", "a", "b", "c"};
  std::vector<config::BackendConfig> backends;
  const size_t hots = 1 + random() % 6;
  const size_t warms = random() % 5;
  for (size_t i = 0; i < hots; ++i) {
    backends.push_back(hot("h" + std::to_string(i), "", kDomains[random() % 4]));
    if (warms > 0 && random() % 3 == 0) backends.back().standby = "w" + std::to_string(random() % warms);
    if (random() % 8 == 0) backends.back().weight = 0;
  }
  for (size_t i = 0; i < warms; ++i) backends.push_back(warm("w" + std::to_string(i), kDomains[random() % 4]));
  config::PoolConfig spec = pool(std::move(backends));
  spec.mode = random() % 4 == 0 ? config::Mode::hot_hot : config::Mode::hot_warm;
  spec.failback = random() % 2 == 0 ? config::Failback::manual : config::Failback::automatic;
  spec.probe.fall = static_cast<uint32_t>(1 + random() % 3);
  spec.probe.rise = static_cast<uint32_t>(1 + random() % 3);
  spec.hold_down = std::chrono::seconds(1 + random() % 10);
  spec.hold_down_max = spec.hold_down * (1 + static_cast<int>(random() % 8));
  spec.flap_half_life = std::chrono::seconds(1 + random() % 60);
  return spec;
}

/// What the probes of one backend prove, told from their sequence alone.
struct Model {
  std::vector<bool> probes;  // since it was last enabled
  bool enabled = true;
  Nanoseconds last_bad{-1};

  bool up(bool is_hot, uint32_t fall, uint32_t rise) const {
    enum { unknown, yes, no } health = unknown;
    uint32_t same = 0;
    for (size_t i = 0; i < probes.size(); ++i) {
      same = i > 0 && probes[i] == probes[i - 1] ? same + 1 : 1;
      if (probes[i] && (same >= rise || (is_hot && health == unknown))) health = yes;
      if (!probes[i] && same >= fall) health = no;
    }
    return enabled && health == yes;
  }
  bool has_evidence(uint32_t fall) const {
    uint32_t bad = 0;
    for (const bool good : probes) {
      if (good) return true;
      if (++bad >= fall) return true;
    }
    return false;
  }
};

class RandomRun {
 public:
  explicit RandomRun(uint64_t seed) : random_(seed), sim_(random_pool(random_)) {}

  void run(int events) {
    for (int i = 0; i < events && !::testing::Test::HasFatalFailure(); ++i) {
      sim_.pass(std::chrono::milliseconds(random_() % 3000));
      check_state();
      one_event();
      check_state();
    }
    if (!::testing::Test::HasFatalFailure()) check_adoption();
  }

 private:
  const std::string& random_name() { return sim_.spec.backends[random_() % sim_.spec.backends.size()].name; }

  void one_event() {
    const std::string name = random_name();
    Model& model = models_[name];
    Event event = Tick{};
    switch (random_() % 16) {
      case 0:
        event = Enable{name};
        break;
      case 1:
        event = Disable{name};
        break;
      case 2:
        event = Failover{name, random_() % 2 == 0 ? random_name() : ""};
        break;
      case 3:
        event = Failback{name};
        break;
      case 4:
        event = ProbeResult{name, Probe::not_run, "", sim_.now};
        break;
      case 5:
      case 6:
      case 7:
      case 8:
      case 9:
        event = ProbeResult{name, Probe::bad, "refused", sim_.now};
        break;
      default:
        event = ProbeResult{name, Probe::good, "ok", sim_.now};
    }
    const PoolState before = sim_.state;
    const Outcome outcome = sim_.send(event);
    const bool sampled = random_() % 4 == 0;  // the dearer checks, so that a sanitizer build stays quick
    if (sampled) {
      ASSERT_EQ(step(sim_.spec, before, event, sim_.now).state, outcome.state) << "not deterministic";
    }

    if (const auto* result = std::get_if<ProbeResult>(&event); result && result->outcome != Probe::not_run) {
      if (model.enabled) model.probes.push_back(result->outcome == Probe::good);
      if (result->outcome == Probe::bad) model.last_bad = sim_.now;
    }
    if (std::holds_alternative<Enable>(event) && !model.enabled) model = Model{};
    if (std::holds_alternative<Disable>(event)) model.enabled = false;
    if (std::holds_alternative<ProbeResult>(event) && std::get<ProbeResult>(event).outcome == Probe::not_run) {
      ASSERT_EQ(outcome.state, before) << "a probe that was not run changed something";
    }
    if (!outcome.refusals.empty()) {
      ASSERT_EQ(outcome.state, before) << outcome.refusals[0].sentence;
    }
    check_reports(before, outcome);
    check_moves(before, outcome, event, name);
    if (sampled) check_hold_down();
  }

  bool is_hot(uint32_t i) const { return sim_.spec.backends[i].role == Role::hot; }
  bool up(uint32_t i) {
    return models_[sim_.spec.backends[i].name].up(is_hot(i), sim_.spec.probe.fall, sim_.spec.probe.rise);
  }
  bool has_slots(const SeatState& seat) const { return sim_.spec.backends[seat.owner].weight > 0; }
  bool hot_warm() const { return sim_.spec.mode == config::Mode::hot_warm; }

  void check_state() {
    std::set<uint32_t> holders;
    bool anybody = false;
    for (const SeatState& seat : sim_.state.seats) {
      if (!seat.holder) continue;
      anybody = anybody || has_slots(seat);
      ASSERT_TRUE(up(*seat.holder)) << sim_.seats() << ": a holder is not healthy";
      ASSERT_TRUE(holders.insert(*seat.holder).second) << sim_.seats() << ": a backend holds two seats";
      if (*seat.holder == seat.owner) {
        ASSERT_FALSE(sim_.state.backends[seat.owner].held);
      } else {
        ASSERT_FALSE(is_hot(*seat.holder));
        ASSERT_TRUE(hot_warm() && has_slots(seat));
      }
    }
    const bool free_standby = has_free_standby(sim_.state, holders);
    for (const SeatState& seat : sim_.state.seats) {
      if (seat.holder || !has_slots(seat)) continue;
      const Model& owner = models_[sim_.spec.backends[seat.owner].name];
      const bool gone = !owner.enabled || owner.has_evidence(sim_.spec.probe.fall);
      ASSERT_FALSE(hot_warm() && free_standby && gone) << sim_.seats() << ": empty, and a standby stands by";
      ASSERT_FALSE(!anybody && up(seat.owner)) << sim_.seats() << ": nobody serves, and a healthy owner looks on";
    }
    check_states_match();
  }

  bool has_free_standby(const PoolState& state, const std::set<uint32_t>& holders) {
    for (uint32_t i = 0; i < state.backends.size(); ++i) {
      if (!is_hot(i) && up(i) && !holders.contains(i)) return true;
    }
    return false;
  }

  void check_states_match() {
    for (uint32_t i = 0; i < sim_.state.backends.size(); ++i) {
      const BackendState& backend = sim_.state.backends[i];
      ASSERT_EQ(backend.state == State::disabled, !models_[backend.name].enabled) << backend.name;
      const bool healthy = backend.state == State::serving || backend.state == State::suspect ||
                           backend.state == State::recovering || backend.state == State::warm ||
                           backend.state == State::promoted;
      ASSERT_EQ(healthy, up(i)) << backend.name << " is " << to_string(backend.state);
    }
  }

  /// The reports say what changed, all of it and nothing else.
  void check_reports(const PoolState& before, const Outcome& outcome) {
    const auto name = [&](std::optional<uint32_t> i) { return i ? before.backends[*i].name : std::string(); };
    std::map<std::string, std::pair<std::string, std::string>> seats;
    for (size_t s = 0; s < before.seats.size(); ++s) {
      if (before.seats[s].holder == outcome.state.seats[s].holder) continue;
      seats[name(before.seats[s].owner)] = {name(before.seats[s].holder), name(outcome.state.seats[s].holder)};
    }
    ASSERT_EQ(outcome.seats.size(), seats.size());
    for (const SeatChange& change : outcome.seats) {
      ASSERT_EQ(seats[change.owner], std::pair(change.before, change.after));
      ASSERT_EQ(change.kind == SeatChangeKind::vacated, change.after.empty());
      ASSERT_EQ(change.kind == SeatChangeKind::failover, !change.after.empty() && change.after != change.owner);
    }
    size_t states = 0;
    for (size_t i = 0; i < before.backends.size(); ++i) {
      states += before.backends[i].state != outcome.state.backends[i].state;
    }
    ASSERT_EQ(outcome.states.size(), states);
    if (outcome.deadline) {
      ASSERT_GT(*outcome.deadline, sim_.now) << "a deadline that has passed";
    }
  }

  /// Time stood still, so only this event moved seats: those of the backend it names, those that were empty, and none
  /// else.
  void check_moves(const PoolState& before, const Outcome& outcome, const Event& event, const std::string& name) {
    for (const SeatChange& change : outcome.seats) {
      ASSERT_TRUE(change.before == name || change.owner == name || change.before.empty())
          << change.owner << ": " << change.before << " -> " << change.after << " because of " << name;
      if (change.after == change.owner && change.kind == SeatChangeKind::failback) {
        const bool command = std::holds_alternative<Failback>(event);
        ASSERT_TRUE(command || change.before == name || change.cause == Cause::last_resort)
            << change.owner << " came back without hold-down, command or need";
      }
      if (change.kind == SeatChangeKind::failover) check_choice(before, outcome, event, change);
    }
  }

  void check_choice(const PoolState& before, const Outcome& outcome, const Event& event, const SeatChange& change) {
    const config::BackendConfig& owner = backend(change.owner);
    const auto same = [&](const config::BackendConfig& b) { return !owner.domain.empty() && b.domain == owner.domain; };
    const auto* command = std::get_if<Failover>(&event);
    if ((command && !command->standby.empty()) || owner.standby == change.after || !same(backend(change.after))) return;
    for (uint32_t i = 0; i < before.backends.size(); ++i) {
      if (is_hot(i) || !up(i) || same(sim_.spec.backends[i])) continue;
      const bool busy = std::any_of(outcome.state.seats.begin(), outcome.state.seats.end(),
                                    [&](const SeatState& seat) { return seat.holder == i; });
      ASSERT_TRUE(busy) << change.owner << " went to its own domain although " << before.backends[i].name
                        << " was free";
    }
  }

  const config::BackendConfig& backend(const std::string& name) const {
    return *std::find_if(sim_.spec.backends.begin(), sim_.spec.backends.end(),
                         [&](const auto& b) { return b.name == name; });
  }

  /// A nanosecond before the deadline nothing happens; at the deadline a seat goes back to an owner without a bad probe
  /// in between.
  void check_hold_down() {
    const Outcome now = step(sim_.spec, sim_.state, Tick{}, sim_.now);
    ASSERT_EQ(now.state, sim_.state) << "a step left something to do";
    if (!now.deadline) {
      const Outcome much_later = step(sim_.spec, sim_.state, Tick{}, sim_.now + 1h);
      ASSERT_EQ(much_later.state, sim_.state) << "time alone changed something without a deadline";
      return;
    }
    ASSERT_EQ(step(sim_.spec, sim_.state, Tick{}, *now.deadline - 1ns).state, sim_.state);
    const Outcome then = step(sim_.spec, sim_.state, Tick{}, *now.deadline);
    const bool back = std::any_of(then.seats.begin(), then.seats.end(), [&](const SeatChange& change) {
      return change.cause == Cause::hold_down && change.after == change.owner &&
             models_[change.owner].last_bad + sim_.spec.hold_down <= *now.deadline;
    });
    ASSERT_TRUE(back) << "the deadline came and nobody returned, or one that had a bad probe in its hold-down";
  }

  /// What a record does not hold, put as adoption puts it: then both must live the same life from here.
  PoolState as_restarted() const {
    PoolState state = sim_.state;
    for (BackendState& b : state.backends) {
      const bool is_up = b.health == Health::up;
      b.bad_streak = b.state == State::suspect && sim_.spec.probe.fall > 1 ? 1 : 0;
      b.good_streak = b.state == State::warming && sim_.spec.probe.rise > 1 ? 1 : 0;
      if (is_up) b.healthy_since = sim_.now;
      if (b.role == Role::warm && !is_up) b.health = Health::unknown;
    }
    for (const SeatState& seat : state.seats) {
      BackendState& owner = state.backends[seat.owner];
      owner.vacated = owner.state == State::failed || owner.state == State::recovering ||
                      (seat.holder && seat.holder != seat.owner);
    }
    return state;
  }

  void check_adoption() {
    Sim adopted = sim_;
    const Outcome outcome = adopt(sim_.spec, records_of(sim_.state), sim_.now);
    ASSERT_TRUE(outcome.seats.empty()) << "adopting moved a seat of " << sim_.seats();
    ASSERT_TRUE(outcome.states.empty()) << outcome.states[0].backend << " changed by being adopted";
    adopted.state = outcome.state;
    sim_.state = as_restarted();
    for (int i = 0; i < 10; ++i) {
      const std::string name = random_name();
      const Event event = ProbeResult{name, random_() % 2 == 0 ? Probe::good : Probe::bad, "x", sim_.now};
      sim_.send(event);
      adopted.send(event);
      ASSERT_EQ(adopted.seats(), sim_.seats()) << "after event " << i;
      for (size_t b = 0; b < sim_.state.backends.size(); ++b) {
        ASSERT_EQ(adopted.state.backends[b].state, sim_.state.backends[b].state) << "after event " << i;
      }
      sim_.now += 700ms;
      adopted.now = sim_.now;
    }
  }

  Random random_;
  Sim sim_;
  std::map<std::string, Model> models_;
};

TEST(Random, InvariantsHoldInTwentyThousandLives) {
  for (uint64_t seed = 0; seed < lives(20'000); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomRun(seed).run(25);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST(Random, TheOrderOfResultsWithinABatchDoesNotMatter) {
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    Sim sim(random_pool(random));
    for (int round = 0; round < 10; ++round) {
      std::vector<Event> events;
      for (const config::BackendConfig& backend : sim.spec.backends) {
        const Probe outcome = random() % 2 == 0 ? Probe::good : Probe::bad;
        if (random() % 8 == 0) {
          events.push_back(random() % 2 == 0 ? Event(Disable{backend.name}) : Event(Enable{backend.name}));
        } else {
          events.push_back(ProbeResult{backend.name, outcome, "x", sim.now});
        }
      }
      std::vector<Event> shuffled = events;
      std::shuffle(shuffled.begin(), shuffled.end(), random);
      const PoolState other = step(sim.spec, sim.state, shuffled, sim.now).state;
      sim.send(events);
      ASSERT_EQ(sim.state, other) << "seed " << seed;
      sim.now += 1s;
    }
  }
}

TEST(Random, FailuresThatContestNoStandbyAgreeInAnyOrderAndAnyGrouping) {
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    Random random(seed);
    std::vector<config::BackendConfig> backends;
    const size_t hots = 1 + random() % 6;
    for (size_t i = 0; i < hots; ++i) backends.push_back(hot("h" + std::to_string(i)));
    for (size_t i = 0; i < hots + random() % 3; ++i) backends.push_back(warm("w" + std::to_string(i)));
    config::PoolConfig spec = pool(std::move(backends));
    spec.probe.fall = 1;
    std::vector<std::string> dying;
    for (size_t i = 0; i < hots; ++i) {
      if (random() % 2 == 0) dying.push_back("h" + std::to_string(i));
    }
    Sim together = Sim::running(spec);
    together.fail_all(dying);
    std::shuffle(dying.begin(), dying.end(), random);
    Sim one_by_one = Sim::running(spec);
    for (const std::string& name : dying) one_by_one.bad(name);
    ASSERT_EQ(together.seats(), one_by_one.seats()) << "seed " << seed;
  }
}

TEST(Random, ReconfiguringLeavesWorkingSeatsAlone) {
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    Sim sim(random_pool(random));
    sim.spec.mode = config::Mode::hot_warm;
    for (int i = 0; i < 30; ++i) {
      const std::string& name = sim.spec.backends[random() % sim.spec.backends.size()].name;
      random() % 3 == 0 ? sim.bad(name) : sim.good(name);
    }
    config::PoolConfig next = sim.spec;
    std::erase_if(next.backends, [&](const auto&) { return random() % 4 == 0; });
    if (random() % 2 == 0) next.backends.push_back(warm("x"));
    if (random() % 2 == 0) next.backends.insert(next.backends.begin(), hot("a"));
    std::map<std::string, std::string> before;
    for (const SeatState& seat : sim.state.seats) {
      if (seat.holder) before[sim.state.backends[seat.owner].name] = sim.state.backends[*seat.holder].name;
    }
    sim.change(next);
    for (const SeatState& seat : sim.state.seats) {
      const auto old = before.find(sim.state.backends[seat.owner].name);
      if (old == before.end()) continue;
      const bool remains = std::any_of(next.backends.begin(), next.backends.end(),
                                       [&](const auto& backend) { return backend.name == old->second; });
      if (!remains) continue;
      ASSERT_TRUE(seat.holder) << "seed " << seed;
      ASSERT_EQ(sim.state.backends[*seat.holder].name, old->second) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace warmswap::failover
