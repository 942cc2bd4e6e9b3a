// Groups of options that several subcommands share. Start-up only; everything that is wrong ends parsing with a
// CLI::ValidationError that holds one sentence.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "perf/gen/fields.h"
#include "perf/gen/options.h"

namespace warmswap::gen {

/// Ends parsing with a sentence.
[[noreturn]] void refuse(const std::string& sentence);

CLI::Option* duration_option(CLI::App* app, const std::string& name, std::chrono::nanoseconds& out,
                             std::chrono::nanoseconds least, const std::string& help);
/// Packets a second; not without limit.
CLI::Option* rate_option(CLI::App* app, const std::string& name, double& out, const std::string& help);
/// A share written as "0.5%" or "0.005".
CLI::Option* share_option(CLI::App* app, const std::string& name, double& out, const std::string& help);

/// The streams: by options for one, or by a profile. Must outlive the parsing.
class TrafficArguments {
 public:
  void add_to(CLI::App* app);
  /// After parsing. The profile's rate goes to `rate` unless `rate_given`.
  TrafficConfig finish(double& rate, bool rate_given) const;
  /// An option that describes streams or their order, if one was given; else nothing.
  std::string given() const;
  bool gives_destination_mac() const noexcept { return !destination_mac_.empty(); }

 private:
  void read(const std::string& name, const StreamField& field, const std::string& text);
  void read_macs(TrafficConfig& traffic) const;

  StreamConfig stream_;
  std::string given_;
  std::string profile_;
  std::optional<uint64_t> seed_;
  std::string flood_;
  std::string flood_sources_;
  std::string destination_mac_;
  std::string source_mac_;
};

/// Devices, cores and memory. Must outlive the parsing, as must `options`.
class DeviceArguments {
 public:
  /// `own_devices`: the subcommand brings its own, so none can be named.
  void add_to(CLI::App* app, Options& options, bool own_devices);
  /// After parsing, where devices can be named: in the order they were, the first transmits and the last receives.
  void finish(const CLI::App* app, Options& options) const;

 private:
  void add_devices(CLI::App* app, Options& options);

  CLI::Option* vdev_ = nullptr;
  CLI::Option* pci_ = nullptr;
  std::vector<std::string> vdevs_;
  std::vector<std::string> pcis_;
  std::chrono::nanoseconds link_wait_{std::chrono::seconds(10)};
};

}  // namespace warmswap::gen
