// [instance], [dataplane] and [controlplane].
#include <fmt/format.h>

#include "controlplane/config/files.h"
#include "controlplane/config/read_sections.h"
#include "controlplane/config/rules.h"

namespace warmswap::config {
namespace {

constexpr std::string_view kKeyRule = "expected 32 hexadecimal digits, as `openssl rand -hex 16` prints them";

void read_key_file(Section& section, const std::string& name, const Origin& origin, contract::HashKey& out) {
  if (parse_hash_key(name)) {
    section.refuse_hidden("hash_key_file", "holds a key, expected the path of a file; a key stands in hash_key");
  } else if (const auto key = read_hash_key_file(origin.directory / name); !key) {
    section.refuse_hidden("hash_key_file", key.error());
  } else {
    out = *key;
  }
}

void read_hash_key(Section& section, const Origin& origin, contract::HashKey& out) {
  const auto text = section.secret("hash_key", kKeyRule);
  const auto file = section.secret("hash_key_file", "expected the path of a file");
  const bool has_text = section.has("hash_key"), has_file = section.has("hash_key_file");
  if (has_text && has_file) {
    section.refuse_hidden("hash_key", "expected either hash_key or hash_key_file, and both are there");
  } else if (!has_text && !has_file) {
    section.require("hash_key",
                    "expected hash_key or hash_key_file; `openssl rand -hex 16` makes a key, the same one "
                    "for every balancer of a fleet");
  } else if (text) {
    if (const auto key = parse_hash_key(*text)) {
      out = *key;
      if (origin.open_to_others) {
        section.warn_about("hash_key",
                           "every user may read this file, and clients who know the key can pick their "
                           "backend: chmod 0640, or move the key to a hash_key_file");
      }
    } else {
      section.refuse_hidden("hash_key", fmt::format("{} characters: {}", text->size(), kKeyRule));
    }
  } else if (file) {
    read_key_file(section, *file, origin, out);
  }
}

void read_limits(Section section, contract::Geometry& out) {
  section.integer("workers", out.worker_capacity, kWorkers);
  section.integer("vips", out.vip_capacity, kVips);
  section.integer("backends", out.backend_capacity, kBackends);
  uint64_t arena_mib = out.arena_bytes >> 20;
  section.integer("arena_mb", arena_mib, kArenaMib);
  out.arena_bytes = arena_mib << 20;
  section.reject_unknown_keys();
}

void read_port(Section& section, PortConfig& out) {
  section.require("driver", R"(expected "af_xdp", "pci" or "vdev")");
  section.word("driver", out.driver, kPortDriverWords);
  section.string("interface", out.interface);
  section.string("device", out.device);
  section.integer("receive_descriptors", out.receive_descriptors, kDescriptors);
  section.integer("transmit_descriptors", out.transmit_descriptors, kDescriptors);
  section.integer("mtu", out.mtu, kMtu);
  section.reject_unknown_keys();
}

}  // namespace

void read_instance(Section section, const Origin& origin, InstanceConfig& out) {
  section.string("name", out.name);
  read_hash_key(section, origin, out.hash_key);
  section.string("group", out.group);
  section.string("run_dir", out.run_dir);
  section.parsed("outer_source", out.outer_source, parse_prefix, "expected an IPv4 prefix such as \"198.18.0.0/16\"");
  section.reject_unknown_keys();
}

void read_dataplane(Section section, DataplaneConfig& out) {
  section.require("cores", "expected a list of CPU numbers such as [1, 2], one worker each");
  section.integers("cores", out.cores, kCpu);
  section.word("idle", out.idle, kIdlePolicyWords);
  section.word("hugepages", out.hugepages, kHugepagePolicyWords);
  section.integer("memory_mb", out.memory_mib, kMemoryMib);
  section.strings("eal_args", out.eal_args);
  read_limits(section.table("limits"), out.geometry);
  section.require("port", "expected at least one [[dataplane.port]] section");
  for (Section::Named& item : section.named_tables("port")) {
    PortConfig port{.name = item.name};
    read_port(item.section, port);
    if (!item.name.empty()) out.ports.push_back(std::move(port));
  }
  section.reject_unknown_keys();
}

void read_controlplane(Section section, ControlplaneConfig& out) {
  Endpoint listen{out.listen_address, out.listen_port};
  section.parsed("listen", listen, parse_endpoint,
                 "expected \"address:port\" with an IPv4 address, or \"\" for no listener");
  out.listen_address = listen.address;
  out.listen_port = listen.port;
  section.duration("lease", out.lease, kLease);
  section.string("log_level", out.log_level);
  section.reject_unknown_keys();
}

}  // namespace warmswap::config
