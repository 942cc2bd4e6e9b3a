// A small configuration and the model that follows from it, with all backends known to work.
#pragma once

#include <string>

#include "controlplane/config/load.h"
#include "controlplane/model.h"

namespace warmswap::controlplane {

/// Pool "web" (hot a, b; warm w) behind vip "v"; every backend is up by configuration, so that no probe is needed.
inline std::string small_toml(const std::string& instance = "model-test") {
  return R"(
[instance]
name = ")" +
         instance + R"("
hash_key = "000102030405060708090a0b0c0d0e0f"
run_dir = "/nonexistent"
[dataplane]
cores = [0]
[dataplane.limits]
workers = 2
vips = 16
backends = 16
arena_mb = 4
[[dataplane.port]]
name = "p"
driver = "af_xdp"
interface = "eth0"
[controlplane]
listen = ""
[[pool]]
name = "web"
mode = "hot-warm"
ring_size = 4099
failback_step = 100
[pool.probe]
kind = "none"
[[pool.backend]]
name = "a"
address = "192.0.2.11"
[[pool.backend]]
name = "b"
address = "192.0.2.12"
[[pool.backend]]
name = "w"
address = "192.0.2.51"
role = "warm"
[[vip]]
name = "v"
address = "198.51.100.10"
port = 80
pool = "web"
)";
}

inline config::Config small_config(const std::string& instance = "model-test") {
  auto loaded = config::load_text(small_toml(instance), "test.toml");
  if (!loaded) throw std::runtime_error(loaded.error());
  return loaded->config;
}

inline Model small_model() {
  Model model;
  model.file = small_config();
  model.running = model.file;
  for (const config::PoolConfig& pool : model.running.pools) {
    PoolModel& state = model.pools[pool.name];
    state.state = failover::start(pool, steady_now()).state;
    refresh_ring(pool, state);
  }
  return model;
}

}  // namespace warmswap::controlplane
