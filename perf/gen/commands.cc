#include "perf/gen/commands.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <cstdio>
#include <iostream>

#include "controlplane/config/files.h"
#include "perf/gen/capture_commands.h"
#include "perf/gen/engine.h"
#include "perf/gen/json_result.h"
#include "perf/gen/output_files.h"
#include "perf/gen/packet_source.h"
#include "perf/gen/page.h"
#include "perf/gen/pcap.h"
#include "perf/gen/progress.h"
#include "perf/gen/search.h"
#include "perf/gen/self_test.h"
#include "perf/gen/text_result.h"
#include "perf/report/document_json.h"
#include "perf/report/html.h"

namespace warmswap::gen {
namespace {

using contract::Error;
using contract::Result;

int impossible(const std::string& sentence) {
  std::fprintf(stderr, "warmswap-gen: %s\n", sentence.c_str());
  return kExitImpossible;
}

/// Results for people go to standard output, unless a program reads that.
std::ostream& people(const Options& options) {
  return options.json == "-" || options.html == "-" ? std::cerr : std::cout;
}

/// Completes the files that were asked for; the page is made only for one that is.
template <typename MakePage>
Result<void> write_results(OutputFiles& files, const boost::json::object& result, const MakePage& make_page_of) {
  std::cout << std::flush;
  if (files.json) {
    if (auto written = files.json->complete(boost::json::serialize(result) + "\n"); !written) return written;
  }
  return files.html ? files.html->complete(report::html_page(make_page_of())) : Result<void>();
}

int deliver(const Options& options, OutputFiles& files, const RunResult& result, std::string_view command) {
  const Verdict verdict = judge(result, options.limits);
  print_result(people(options), result, verdict);
  auto written = write_results(files, to_json(result, verdict, command), [&] { return make_page(result, verdict); });
  if (!written) return impossible(written.error());
  if (!verdict.ok) return kExitFailed;
  return verdict.measured ? kExitOk : kExitImpossible;
}

Result<std::unique_ptr<PacketSource>> make_source(const Options& options, const TrafficConfig& traffic) {
  if (options.replay.empty()) {
    auto source = StreamSource::make(traffic);
    if (!source) return Error{source.error()};
    return std::unique_ptr<PacketSource>(std::move(*source));
  }
  auto capture = read_capture(options.replay);
  if (!capture) return Error{capture.error()};
  if (options.replay_to) capture->address_to(*options.replay_to);
  auto source = CaptureSource::make(std::move(*capture), options.replay_own_times);
  if (!source) return Error{source.error()};
  return std::unique_ptr<PacketSource>(std::move(*source));
}

int run(const Options& options, OutputFiles& files, const std::atomic<bool>& interrupted) {
  // Whatever is wrong with the traffic shows before DPDK is started.
  auto source = make_source(options, options.traffic);
  if (!source) return impossible(source.error());
  EngineOptions engine_options = options.engine;
  engine_options.largest_frame = (*source)->largest_frame();
  auto engine = Engine::start(engine_options, interrupted);
  if (!engine) return impossible(engine.error());
  TrafficConfig traffic = options.traffic;
  if (!traffic.source_mac) {
    traffic.source_mac = (*engine)->mac(options.run.transmit);
    source = make_source(options, traffic);
    if (!source) return impossible(source.error());
  }
  Result<RunResult> result = Error{};
  {
    ProgressLine progress(options.progress);
    result =
        (*engine)->run(**source, traffic, options.run, interrupted, [&](const Progress& now) { progress.update(now); });
  }
  if (!result) return impossible(result.error());
  result->conditions.replay = options.replay;
  return deliver(options, files, *result, "run");
}

int test_self(const Options& options, OutputFiles& files, const std::atomic<bool>& interrupted) {
  Result<SelfTestResult> result = Error{};
  {
    ProgressLine progress(options.progress);
    result = self_test(options, interrupted, progress);
  }
  if (!result) return impossible(result.error());
  print_self_test(people(options), *result);
  if (auto written = write_results(files, to_json(*result), [&] { return make_page(*result); }); !written) {
    return impossible(written.error());
  }
  return judge(result->loop, {}).ok && judge(result->half, {}).ok ? kExitOk : kExitFailed;
}

int find_rate(const Options& options, OutputFiles& files, const std::atomic<bool>& interrupted) {
  Result<SearchResult> result = Error{};
  {
    ProgressLine progress(options.progress);
    result = search(options, interrupted, progress);
  }
  if (!result) return impossible(result.error());
  print_search(people(options), *result);
  if (auto written = write_results(files, to_json(*result), [&] { return make_page(*result); }); !written) {
    return impossible(written.error());
  }
  if (!result->faults.empty()) return kExitFailed;
  return result->conclusive() ? kExitOk : kExitImpossible;
}

int render(const Options& options, OutputFiles& files) {
  auto file = config::read_text_file(options.file);
  if (!file) return impossible(file.error());
  auto document = report::read_document(file->text);
  if (!document && file->text.find("\"program\":\"warmswap-gen\"") != std::string::npos) {
    return impossible(options.file +
                      ": is a result of warmswap-gen, not a report; --html writes its page when it runs");
  }
  if (!document) return impossible(options.file + ": " + document.error());
  if (auto written = files.html->complete(report::html_page(*document)); !written) return impossible(written.error());
  return kExitOk;
}

int write(const Options& options) {
  if (auto written = write_pcap(options); !written) return impossible(written.error());
  std::printf("%s: %s frames\n", options.file.c_str(), format_count(options.count).c_str());
  return kExitOk;
}

int check(const Options& options, OutputFiles& files) {
  auto result = check_pcap(options);
  return result ? deliver(options, files, *result, "check") : impossible(result.error());
}

}  // namespace

int run_command(const Options& options, const std::atomic<bool>& interrupted) {
  auto files = OutputFiles::open(options.json, options.html);
  if (!files) {
    std::fprintf(stderr, "warmswap-gen: %s\n", files.error().c_str());
    return kExitUsage;
  }
  switch (options.command) {
    case Command::run:
      return run(options, *files, interrupted);
    case Command::self_test:
      return test_self(options, *files, interrupted);
    case Command::write_pcap:
      return write(options);
    case Command::check:
      return check(options, *files);
    case Command::search:
      return find_rate(options, *files, interrupted);
    case Command::report:
      return render(options, *files);
  }
  return kExitUsage;
}

}  // namespace warmswap::gen
