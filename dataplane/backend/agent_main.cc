// warmswap-agent: runs on a backend host and keeps the decapsulation program on the interface the balancer's packets
// arrive on.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "dataplane/backend/address.h"
#include "dataplane/backend/agent.h"
#include "dataplane/backend/statistics.h"

namespace {

using namespace warmswap::backend;

/// Fills `values` from the texts; false after naming the option and what was wrong with it.
template <typename T, typename Parse>
bool parse_all(const char* option, const std::vector<std::string>& texts, Parse parse, std::vector<T>& values) {
  for (const std::string& text : texts) {
    auto value = parse(text);
    if (!value) {
      fmt::print(stderr, "error: {}: {}\n", option, value.error());
      return false;
    }
    values.push_back(*value);
  }
  return true;
}

int report(const warmswap::contract::Result<void>& result) {
  if (result) return 0;
  fmt::print(stderr, "error: {}\n", result.error());
  return 1;
}

int show_statistics(const std::string& interface, bool json) {
  const auto text = describe_statistics(interface, json);
  if (!text) return report(warmswap::contract::Error{text.error()});
  fmt::print("{}", *text);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Takes the outer header off a warmswap balancer's packets on a backend host."};
  AgentOptions options;
  std::vector<std::string> vips, addresses;
  std::vector<std::string> sources = {"198.18.0.0/16"};  // the balancer's own default of outer_source
  bool statistics = false, json = false, detach_only = false;
  app.add_option("--interface", options.interface, "interface the balancer's packets arrive on")->required();
  app.add_option("--vip", vips, "address of a vip this host serves (repeat for more)");
  app.add_option("--address", addresses, "outer destination to accept (default: the interface's own addresses)");
  std::vector<std::string> reports;
  std::string key_file, report_address;
  uint32_t interval_ms = 50;
  auto* report_to =
      app.add_option("--report", reports, "ADDRESS:PORT of a control plane to send heartbeats to (repeat for more)");
  auto* key_option =
      app.add_option("--report-key-file", key_file, "file with the heartbeats' secret, 32 hexadecimal digits");
  report_to->needs(key_option);
  app.add_option("--report-interval", interval_ms, "milliseconds between heartbeats (default: 50)")
      ->check(CLI::Range(5, 10'000))
      ->needs(report_to);
  app.add_option("--report-address", report_address,
                 "this backend's address as the balancers have it (default: that of the way to them)")
      ->needs(report_to);
  app.add_option("--not-ready-file", options.report.not_ready_file,
                 "while this file exists the backend says that it is not ready")
      ->needs(report_to);
  app.add_option("--link-mbps", options.report.link_mbps,
                 "speed of the interface, for its part of the load (default: as the kernel says)")
      ->needs(report_to);
  app.add_option("--allow-source", sources,
                 "prefix of outer sources to accept: the balancers' outer_source (default: 198.18.0.0/16; any: "
                 "0.0.0.0/0)");
  auto* show = app.add_flag("--stats", statistics, "print what the attached program did, and exit");
  app.add_flag("--json", json, "with --stats: as JSON")->needs(show);
  app.add_flag("--detach", detach_only, "take off the program a killed agent left, and exit")->excludes(show);
  CLI11_PARSE(app, argc, argv);

  if (statistics) return show_statistics(options.interface, json);
  if (detach_only) return report(detach_leftover(options.interface));
  if (vips.empty())
    return report(warmswap::contract::Error{"--vip is missing: name at least one vip this host serves"});
  if (!parse_all("--vip", vips, parse_address, options.vips) ||
      !parse_all("--address", addresses, parse_address, options.addresses) ||
      !parse_all("--allow-source", sources, parse_prefix, options.sources) ||
      !parse_all("--report", reports, parse_report_target, options.report.targets))
    return 1;
  options.report.interface = options.interface;
  options.report.interval = std::chrono::milliseconds(interval_ms);
  if (!report_address.empty()) {
    const auto address = parse_address(report_address);
    if (!address) return report(warmswap::contract::Error{"--report-address: " + address.error()});
    options.report.address = *address;
  }
  if (!key_file.empty()) {
    const auto key = read_report_key(key_file);
    if (!key) return report(warmswap::contract::Error{"--report-key-file: " + key.error()});
    options.report.key = *key;
  }
  return report(run_agent(options));
}
