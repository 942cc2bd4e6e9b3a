// [instance], [dataplane] and [controlplane].
#include <fmt/format.h>

#include "controlplane/config/files.h"
#include "controlplane/config/read_sections.h"
#include "controlplane/config/rules.h"

namespace warmswap::config {
namespace {

constexpr std::string_view kKeyRule = "expected 32 hexadecimal digits, as `openssl rand -hex 16` prints them";

/// `key` and `key`_file: the secret itself, or the file that holds it. False when neither is there.
bool read_secret(Section& section, std::string_view key, std::string_view risk, const Origin& origin,
                 contract::HashKey& out) {
  const std::string file_key = std::string(key) + "_file";
  const auto text = section.secret(key, kKeyRule);
  const auto file = section.secret(file_key, "expected the path of a file");
  const bool has_text = section.has(key), has_file = section.has(file_key);
  if (!has_text && !has_file) return false;
  if (has_text && has_file) {
    section.refuse_hidden(key, fmt::format("expected either {} or {}, and both are there", key, file_key));
  } else if (text) {
    const auto value = parse_hash_key(*text);
    if (!value) section.refuse_hidden(key, fmt::format("{} characters: {}", text->size(), kKeyRule));
    if (value && origin.open_to_others.contains(section.file_of(key))) {
      section.warn_about(key, fmt::format("every user may read this file, and {}: chmod 0640, or move the key to a {}",
                                          risk, file_key));
    }
    out = value.value_or(out);
  } else if (file && parse_hash_key(*file)) {
    section.refuse_hidden(file_key, fmt::format("holds a key, expected the path of a file; a key stands in {}", key));
  } else if (file) {
    const auto value = read_hash_key_file(origin.directory / *file);
    if (!value) section.refuse_hidden(file_key, value.error());
    if (value) out = *value;
  }
  return true;
}

void read_hash_key(Section& section, const Origin& origin, contract::HashKey& out) {
  if (read_secret(section, "hash_key", "clients who know the key can pick their backend", origin, out)) return;
  section.require("hash_key",
                  "expected hash_key or hash_key_file; `openssl rand -hex 16` makes a key, the same one "
                  "for every balancer of a fleet");
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

/// Heartbeats without a key would let anybody keep a dead backend in service.
void read_heartbeats(Section& section, const Origin& origin, ControlplaneConfig& out) {
  Endpoint listen;
  section.parsed("heartbeat_listen", listen, parse_endpoint,
                 "expected \"address:port\" with an IPv4 address, or \"\" to hear no heartbeats");
  out.heartbeat_address = listen.address;
  out.heartbeat_port = listen.port;
  const bool has_key =
      read_secret(section, "heartbeat_key", "who knows the key can speak for every backend", origin, out.heartbeat_key);
  if (!listen.address.empty() && !has_key) {
    section.require(
        "heartbeat_key",
        "expected heartbeat_key or heartbeat_key_file beside heartbeat_listen; `openssl rand -hex 16` makes a "
        "key, the same one for all agents");
  }
  section.duration("max_clock_skew", out.max_clock_skew, kClockSkew);
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

void read_controlplane(Section section, const Origin& origin, ControlplaneConfig& out) {
  Endpoint listen{out.listen_address, out.listen_port};
  section.parsed("listen", listen, parse_endpoint,
                 "expected \"address:port\" with an IPv4 address, or \"\" for no listener");
  out.listen_address = listen.address;
  out.listen_port = listen.port;
  section.duration("lease", out.lease, kLease);
  read_heartbeats(section, origin, out);
  section.string("log_level", out.log_level);
  section.string("journal", out.journal);
  section.integer("journal_max_mb", out.journal_max_mib, kJournalMib);
  section.integer("journal_files", out.journal_files, kJournalFiles);
  section.integer("handshake_sampling", out.handshake_sampling, kHandshakeSampling);
  section.reject_unknown_keys();
}

}  // namespace warmswap::config
