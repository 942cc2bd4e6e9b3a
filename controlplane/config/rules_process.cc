// Rules for what the two processes need of their host: [instance], [dataplane], [controlplane].
#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <bit>
#include <set>

#include "controlplane/config/rules.h"
#include "controlplane/config/text.h"

namespace warmswap::config {
namespace {

/// Domain, bus, device and function in hexadecimal: 0000:03:00.0, or 03:00.0 for domain 0.
bool is_pci_address(std::string_view text) {
  constexpr std::string_view kLong = "hhhh:hh:hh.f", kShort = "hh:hh.f";
  const std::string_view shape = text.size() == kLong.size() ? kLong : kShort;
  if (text.size() != shape.size()) return false;
  return std::equal(text.begin(), text.end(), shape.begin(), [](char c, char wanted) {
    const bool digit = c >= '0' && c <= '9';
    if (wanted == 'h') return digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    return wanted == 'f' ? c >= '0' && c <= '7' : c == wanted;
  });
}

bool is_interface_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestInterface && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~' && c != '/' && c != ':'; });
}

bool is_vdev(std::string_view text) {
  return !text.empty() && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z')) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

void check_port_driver(Findings& out, const PortConfig& port, const std::string& key) {
  const auto with_driver = [&](Finding finding) {
    finding.depends = {key + ".driver"};
    out.push_back(std::move(finding));
  };
  const auto check_device = [&](bool (*is_right)(std::string_view), const char* expectation) {
    if (port.device.empty()) return with_driver({key + ".device", fmt::format(" is missing: {}", expectation)});
    if (!is_right(port.device)) with_driver(wrong(key + ".device", quote(port.device), expectation));
  };
  if (!port.interface.empty() && !is_interface_name(port.interface)) {
    out.push_back(wrong(key + ".interface", quote(port.interface), "expected the name of a network interface"));
  }
  switch (port.driver) {
    case PortDriver::af_xdp:
      if (port.interface.empty()) with_driver({key + ".interface", " is missing: expected the interface to bind"});
      if (!port.device.empty()) {
        with_driver(wrong(key + ".device", quote(port.device), "expected no device for af_xdp: interface says which"));
      }
      break;
    case PortDriver::pci:
      check_device(is_pci_address, "expected a PCI address such as \"0000:03:00.0\"");
      break;
    case PortDriver::vdev:
      check_device(is_vdev, "expected a DPDK device string without spaces such as \"net_tap0,iface=tap0\"");
      break;
  }
}

void check_dataplane_port(Findings& out, const PortConfig& port) {
  const std::string key = item_key("dataplane.port", port.name);
  if (const auto name = check_name(port.name); !name || port.name.size() > kLongestPortName) {
    out.push_back(wrong(key + ".name", quote(port.name),
                        fmt::format("expected 1 to {} characters out of A-Z a-z 0-9 . _ -", kLongestPortName)));
  }
  check_port_driver(out, port, key);
  if (port.driver != PortDriver::af_xdp && port.interface.empty()) {
    out.push_back(warn(key + ".interface",
                       " is missing: no backend can be reached through this port, since next hops are "
                       "looked up by interface, and what is not for a vip is dropped"));
  }
  for (const auto& [field, count] : {std::pair{".receive_descriptors", port.receive_descriptors},
                                     std::pair{".transmit_descriptors", port.transmit_descriptors}}) {
    if (!kDescriptors.holds(count) || !std::has_single_bit(count)) {
      out.push_back(wrong(key + field, fmt::to_string(count), expected(kDescriptors)));
    }
  }
  if (port.mtu != 0) check_number(out, key + ".mtu", port.mtu, kMtu);
}

void check_cores(Findings& out, const DataplaneConfig& dataplane) {
  if (dataplane.cores.empty()) {
    out.push_back(wrong("dataplane.cores", "[]", "expected at least one CPU number, one worker each"));
  }
  std::set<uint32_t> seen;
  for (const uint32_t core : dataplane.cores) {
    check_number(out, "dataplane.cores", core, kCpu);
    if (!seen.insert(core).second) {
      out.push_back(wrong("dataplane.cores", fmt::to_string(core), "expected each CPU once: a core runs one worker"));
    }
  }
  const uint32_t most = dataplane.geometry.worker_capacity;
  if (dataplane.cores.size() > most) {
    out.push_back(wrong("dataplane.cores", fmt::format("{} CPUs", dataplane.cores.size()),
                        fmt::format("expected at most dataplane.limits.workers, {}", most)));
    out.back().depends = {"dataplane.limits.workers"};
  }
}

}  // namespace

Findings check_instance(const InstanceConfig& instance) {
  Findings out;
  if (const auto name = check_name(instance.name); !name) {
    out.push_back({"instance.name", " = " + name.error()});
  }
  if (instance.group.size() > 32 || (!instance.group.empty() && !check_name(instance.group))) {
    out.push_back(wrong("instance.group", quote(instance.group), "expected the name of a system group"));
  }
  // The control socket's path, with its NUL, must fit into a sockaddr_un.
  const size_t longest = sizeof(sockaddr_un::sun_path) - 1 - std::string_view("/.sock").size() - instance.name.size();
  const bool plain = std::all_of(instance.run_dir.begin(), instance.run_dir.end(), [](char c) { return c >= ' '; });
  if (!instance.run_dir.starts_with('/') || !plain) {
    out.push_back(wrong("instance.run_dir", quote(instance.run_dir), "expected an absolute path"));
  } else if (instance.name.size() <= kLongestName && instance.run_dir.size() > longest) {
    out.push_back(
        wrong("instance.run_dir", quote(instance.run_dir),
              fmt::format("expected at most {} characters, so that the path of the socket in it fits", longest)));
    out.back().depends = {"instance.name"};
  }
  const Prefix& source = instance.outer_source;
  const uint32_t mask = prefix_mask(source.length);
  const uint32_t first_octet = source.address.host() >> 24;
  if (source.length < 8 || source.length > 32) {
    out.push_back(
        wrong("instance.outer_source", quote(format_prefix(source)), "expected a prefix length from 8 to 32"));
  } else if ((source.address.host() & ~mask) != 0) {
    const Prefix whole{Be32(source.address.host() & mask), source.length};
    out.push_back(wrong("instance.outer_source", quote(format_prefix(source)),
                        fmt::format("expected host bits of zero, such as \"{}\"", format_prefix(whole))));
  } else if (first_octet == 0 || first_octet == 127 || first_octet >= 224) {
    out.push_back(wrong("instance.outer_source", quote(format_prefix(source)),
                        "expected unicast addresses that may travel on a network"));
  }
  return out;
}

Findings check_dataplane(const DataplaneConfig& dataplane) {
  Findings out;
  check_cores(out, dataplane);
  check_number(out, "dataplane.memory_mb", dataplane.memory_mib, kMemoryMib);
  check_number(out, "dataplane.limits.workers", dataplane.geometry.worker_capacity, kWorkers);
  check_number(out, "dataplane.limits.vips", dataplane.geometry.vip_capacity, kVips);
  check_number(out, "dataplane.limits.backends", dataplane.geometry.backend_capacity, kBackends);
  check_number(out, "dataplane.limits.arena_mb", static_cast<int64_t>(dataplane.geometry.arena_bytes >> 20), kArenaMib);
  if (dataplane.ports.empty() || dataplane.ports.size() > contract::kPortCapacity) {
    out.push_back(wrong("dataplane.port", fmt::format("{} ports", dataplane.ports.size()),
                        fmt::format("expected 1 to {} [[dataplane.port]] sections", contract::kPortCapacity)));
  }
  std::set<std::string_view> devices, interfaces;
  for (const PortConfig& port : dataplane.ports) {
    check_dataplane_port(out, port);
    const std::string key = item_key("dataplane.port", port.name);
    const auto once = [&](std::set<std::string_view>& seen, std::string_view value, const char* field) {
      if (value.empty() || seen.insert(value).second) return;
      out.push_back(wrong(key + field, quote(value), "expected one that no other port has"));
    };
    once(devices, port.device, ".device");
    once(interfaces, port.interface, ".interface");
  }
  return out;
}

Findings check_controlplane(const ControlplaneConfig& controlplane) {
  Findings out;
  if (!controlplane.listen_address.empty()) {
    const auto address = parse_address(controlplane.listen_address);
    if (!address || controlplane.listen_port == 0) {
      out.push_back(wrong("controlplane.listen",
                          quote(fmt::format("{}:{}", controlplane.listen_address, controlplane.listen_port)),
                          "expected \"address:port\", or \"\" for no listener"));
    } else if (address->host() >> 24 != 127) {
      out.push_back(warn("controlplane.listen", "not a loopback address: status and metrics are open to the network"));
    }
  }
  check_duration(out, "controlplane.lease", controlplane.lease, kLease);
  check_number(out, "controlplane.journal_max_mb", controlplane.journal_max_mib, kJournalMib);
  check_number(out, "controlplane.journal_files", controlplane.journal_files, kJournalFiles);
  check_number(out, "controlplane.handshake_sampling", controlplane.handshake_sampling, kHandshakeSampling);
  check_duration(out, "controlplane.max_clock_skew", controlplane.max_clock_skew, kClockSkew);
  if (!controlplane.heartbeat_address.empty() &&
      (!parse_address(controlplane.heartbeat_address) || controlplane.heartbeat_port == 0)) {
    out.push_back(wrong("controlplane.heartbeat_listen",
                        quote(fmt::format("{}:{}", controlplane.heartbeat_address, controlplane.heartbeat_port)),
                        "expected \"address:port\" with an IPv4 address, or \"\" to hear no heartbeats"));
  }
  if (std::find(kLogLevels.begin(), kLogLevels.end(), controlplane.log_level) == kLogLevels.end()) {
    out.push_back(
        wrong("controlplane.log_level", quote(controlplane.log_level), "expected " + list_choices(kLogLevels)));
  }
  return out;
}

}  // namespace warmswap::config
