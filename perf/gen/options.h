// The command line. Pure but for reading the profile; start-up only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "perf/gen/result.h"
#include "perf/gen/run_options.h"
#include "perf/gen/traffic.h"

namespace warmswap::gen {

enum class Command : uint8_t { run, search, self_test, write_pcap, check, report };

enum class SearchMethod : uint8_t { rfc2544, mlr };

struct SearchOptions {
  SearchMethod method = SearchMethod::mlr;
  double lowest = 10e3;  // packets/s
  double highest = 10e6;
  double resolution = 0.01;                                 // relative width at which the search ends
  double partial_loss = 0.005;                              // the loss that PDR allows
  std::chrono::nanoseconds trial{std::chrono::seconds(1)};  // a trial that counts in full
  std::chrono::nanoseconds first_trial{std::chrono::milliseconds(250)};
  std::chrono::nanoseconds decide{std::chrono::seconds(5)};  // mlr: traffic that decides about a rate
  std::chrono::nanoseconds most{std::chrono::minutes(5)};    // of traffic for the whole search
};

struct Options {
  Command command = Command::run;
  TrafficConfig traffic;
  EngineOptions engine;
  RunOptions run;
  Limits limits;
  SearchOptions search;
  std::string replay;  // capture to send instead of streams
  bool replay_own_times = false;
  std::optional<contract::MacAddress> replay_to;  // instead of the destination MACs in the capture
  uint64_t count = 0;                             // write-pcap, check: packets
  std::string file;                               // write-pcap, check, report
  std::string json;                               // "-" = standard output, "" = none
  std::string html;
  bool progress = false;  // a line a second also where standard error is no terminal
};

/// The process ends with this: help, version, or a sentence about what is wrong.
struct Exit {
  int code = 0;
  std::string text;
};

std::variant<Options, Exit> parse_options(int argc, const char* const* argv);

}  // namespace warmswap::gen
