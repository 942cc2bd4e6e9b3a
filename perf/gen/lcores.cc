#include "perf/gen/lcores.h"

#include <rte_cycles.h>

#include <fstream>

namespace warmswap::gen {
namespace {

/// How long this thread was ready to run while another had its CPU, since it began: the second figure of schedstat
/// (Documentation/scheduler/sched-stats.rst). 0 where the kernel does not tell.
uint64_t waited_ns() {
  std::ifstream schedstat("/proc/thread-self/schedstat");
  uint64_t running = 0;
  uint64_t waiting = 0;
  schedstat >> running >> waiting;
  return waiting;
}

/// Notes what the lcore that holds it waited.
class WaitWatch {
 public:
  explicit WaitWatch(Lcores& lcores) : lcores_(lcores), before_(waited_ns()) {}
  WaitWatch(const WaitWatch&) = delete;
  WaitWatch& operator=(const WaitWatch&) = delete;
  ~WaitWatch() {
    const uint64_t waited = waited_ns() - before_;
    uint64_t most = lcores_.waited_ns.load();
    while (waited > most && !lcores_.waited_ns.compare_exchange_weak(most, waited)) {
    }
  }

 private:
  Lcores& lcores_;
  uint64_t before_;
};

void receive_until_done(Lcores& lcores) {
  for (;;) {
    const uint16_t taken = lcores.receiver->poll();
    if (lcores.transmitting.load(std::memory_order_acquire)) continue;
    if (taken == 0 ? lcores.complete(rte_rdtsc()) : rte_rdtsc() > lcores.transmitter.end() + lcores.drain_ticks) return;
  }
}

}  // namespace

int transmit_loop(void* argument) {
  Lcores& lcores = *static_cast<Lcores*>(argument);
  {
    const WaitWatch watch(lcores);
    while (lcores.transmitter.poll()) {
    }
  }
  lcores.transmitting.store(false, std::memory_order_release);
  return 0;
}

int receive_loop(void* argument) {
  Lcores& lcores = *static_cast<Lcores*>(argument);
  {
    const WaitWatch watch(lcores);
    receive_until_done(lcores);
  }
  lcores.receiving.store(false, std::memory_order_release);
  return 0;
}

int both_loop(void* argument) {
  Lcores& lcores = *static_cast<Lcores*>(argument);
  {
    const WaitWatch watch(lcores);
    while (lcores.transmitter.poll()) lcores.receiver->poll();
    lcores.transmitting.store(false, std::memory_order_release);
    receive_until_done(lcores);
  }
  lcores.receiving.store(false, std::memory_order_release);
  return 0;
}

}  // namespace warmswap::gen
