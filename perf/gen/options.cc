#include "perf/gen/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "controlplane/config/text.h"
#include "perf/gen/arguments.h"

namespace warmswap::gen {
namespace {

using std::chrono::nanoseconds;

constexpr int kUsageError = 2;
constexpr const char* kSending = "Sending and receiving";

/// The whole command line: declares everything, then turns what was said into Options.
class CommandLine {
 public:
  CommandLine() {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "warmswap-gen " WARMSWAP_VERSION);
    app_.footer(
        "docs/traffic-generator.md explains what the figures mean. Exit codes: 0 ok, 1 the verdict is against "
        "the balancer, 2 wrong usage, 3 nothing could be said about it.");
    app_.failure_message(CLI::FailureMessage::simple);
    declare_run();
    declare_search();
    declare_self_test();
    declare_files();
  }

  std::variant<Options, Exit> parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
      finish();
    } catch (const CLI::ParseError& error) {
      std::ostringstream out;
      std::ostringstream err;
      const int code = app_.exit(error, out, err) == 0 ? 0 : kUsageError;
      return Exit{code, code == 0 ? out.str() : fmt::format("warmswap-gen: {}\n", error.what())};
    }
    return std::move(options_);
  }

 private:
  CLI::App* add(const std::string& name, Command command, const std::string& help) {
    CLI::App* app = app_.add_subcommand(name, help);
    app->callback([this, app, command] {
      chosen_ = app;
      options_.command = command;
    });
    return app;
  }

  void declare_output(CLI::App* app) {
    app->add_option("--json", options_.json, "result as JSON to a file, or - for standard output")
        ->type_name("FILE")
        ->group("Output");
    app->add_option("--html", options_.html, "result as a page with plots, to a file, or - for standard output")
        ->type_name("FILE")
        ->group("Output");
    app->add_flag("--progress", options_.progress, "a line a second even where standard error is no terminal")
        ->group("Output");
  }

  void declare_sending(CLI::App* app) {
    app->add_option("--burst", options_.run.burst, "most packets handed to the device at once")
        ->type_name("N")
        ->check(CLI::Range(1, 64))
        ->capture_default_str()
        ->group(kSending);
    duration_option(
        app, "--catch-up", options_.run.catch_up, nanoseconds(0),
        "departures overdue for longer are given up and counted: as refused when the device took no packets, "
        "as skipped when the generator was late")
        ->group(kSending);
    duration_option(app, "--late", options_.run.late, nanoseconds(0),
                    "departures further behind schedule count as late")
        ->group(kSending);
    duration_option(app, "--drain", options_.run.drain, nanoseconds(0),
                    "how long to wait for packets still on their way")
        ->group(kSending);
    app->add_option("--gue-port", options_.run.gue_port, "UDP port that means GUE")
        ->type_name("PORT")
        ->check(CLI::Range(1, 65535))
        ->capture_default_str()
        ->group(kSending);
    app->add_flag_callback(
           "--no-flow-table", [this] { options_.run.flow_table = false; },
           "do not check misrouting and reordering: saves 8 bytes a flow and a cache miss a packet")
        ->group(kSending);
  }

  void declare_run() {
    CLI::App* app = add("run", Command::run, "send at a fixed rate and check what comes back");
    run_devices_.add_to(app, options_, false);
    run_traffic_.add_to(app);
    app->add_option("--rate", rate_text_,
                    "packets a second of all streams together (without --syn-flood and fixed "
                    "ones): 1Mpps, max; with --replay also `capture`, its own times")
        ->type_name("RATE")
        ->default_str("1Mpps")
        ->group(kSending);
    duration_option(app, "--duration", options_.run.duration, std::chrono::milliseconds(10), "of sending")
        ->group(kSending);
    duration_option(app, "--timeline", options_.run.interval, std::chrono::milliseconds(1),
                    "length of an interval of the counts per backend over time")
        ->group(kSending);
    app->add_option("--replay", options_.replay, "send the frames of this pcap file over and over instead of streams")
        ->type_name("FILE")
        ->group("Traffic");
    declare_sending(app);
    share_option(app, "--max-loss", options_.limits.loss, "loss that is no failure: 0.1%, 0.001 (default 0)")
        ->group("Verdict");
    app->add_option("--max-misrouted-flows", options_.limits.misrouted_flows,
                    "flows that may change backends, as a failover makes them")
        ->type_name("N")
        ->capture_default_str()
        ->group("Verdict");
    declare_output(app);
  }

  void declare_search() {
    CLI::App* app = add("search", Command::search, "find the highest rate without loss (NDR) and with little (PDR)");
    search_devices_.add_to(app, options_, false);
    search_traffic_.add_to(app);
    SearchOptions& search = options_.search;
    app->add_option_function<std::string>(
           "--method",
           [&search](const std::string& text) {
             if (text != "rfc2544" && text != "mlr") {
               refuse("--method " + text + ": expected rfc2544 or mlr");
             }
             search.method = text == "mlr" ? SearchMethod::mlr : SearchMethod::rfc2544;
           },
           "rfc2544: binary search for the NDR alone; mlr: NDR and PDR together")
        ->type_name("rfc2544|mlr")
        ->default_str("mlr")
        ->group("Search");
    rate_option(app, "--min-rate", search.lowest, "lowest rate tried (default 10kpps)")->group("Search");
    rate_option(app, "--max-rate", search.highest, "highest rate tried (default 10Mpps)")->group("Search");
    share_option(app, "--resolution", search.resolution, "width of the last bracket against the rate (default 1%)")
        ->group("Search");
    share_option(app, "--partial-loss", search.partial_loss, "loss that PDR allows (default 0.5%)")->group("Search");
    duration_option(app, "--trial", search.trial, std::chrono::milliseconds(50),
                    "of a trial; RFC 2544 asks for 60s for a figure to publish")
        ->group("Search");
    duration_option(app, "--first-trial", search.first_trial, std::chrono::milliseconds(20),
                    "of the trials that only narrow down (mlr)")
        ->group("Search");
    duration_option(app, "--decide", search.decide, std::chrono::milliseconds(50),
                    "of the trials at one rate together that decide about it (mlr)")
        ->group("Search");
    duration_option(app, "--most", search.most, std::chrono::seconds(1), "of the whole search")->group("Search");
    declare_sending(app);
    declare_output(app);
  }

  void declare_self_test() {
    CLI::App* app =
        add("self-test", Command::self_test, "what this generator itself can do on this machine, without any balancer");
    self_devices_.add_to(app, options_, true);
    self_traffic_.add_to(app);
    duration_option(app, "--duration", self_duration_, std::chrono::milliseconds(100), "of each part")->group(kSending);
    declare_sending(app);
    declare_output(app);
  }

  void declare_files() {
    CLI::App* write = add("write-pcap", Command::write_pcap,
                          "write the first frames of the traffic as a pcap file, timed as they would be sent");
    write_traffic_.add_to(write);
    CLI::App* check =
        add("check", Command::check, "check a capture of what the balancer made of the frames that write-pcap wrote");
    check_traffic_.add_to(check);
    for (CLI::App* app : {write, check}) {
      app->add_option("FILE", options_.file, "the pcap file")->required();
      app->add_option("--count", options_.count, "frames")->type_name("N")->required()->check(CLI::Range(1.0, 1e9));
      rate_option(app, "--rate", options_.run.rate, "packets a second (default 1Mpps)");
    }
    check->add_option("--gue-port", options_.run.gue_port, "UDP port that means GUE")->type_name("PORT");
    share_option(check, "--max-loss", options_.limits.loss, "loss that is no failure (default 0)");
    check->add_option("--max-misrouted-flows", options_.limits.misrouted_flows, "flows that may change backends")
        ->type_name("N");
    declare_output(check);
    CLI::App* report = add("report", Command::report, "make a page of a report in JSON");
    report->add_option("FILE", options_.file, "the JSON document (perf/report/document_json.h)")->required();
    report->add_option("-o,--output", options_.html, "the page, or - for standard output")
        ->type_name("FILE")
        ->required();
  }

  void finish_rate() {
    rate_given_ = !rate_text_.empty();
    if (!rate_given_) return;
    if (rate_text_ == "capture") {
      if (options_.replay.empty()) refuse("--rate capture: only with --replay");
      options_.replay_own_times = true;
      return;
    }
    const auto rate = parse_rate(rate_text_);
    if (!rate)
      refuse(fmt::format("--rate {}: expected packets a second such as 1Mpps, or max", config::quote(rate_text_)));
    options_.run.rate = *rate;
  }

  void finish_replay() {
    options_.run.replay = !options_.replay.empty();
    if (!options_.run.replay) return;
    if (!run_traffic_.given().empty()) {
      refuse(fmt::format("{}: describes streams, but --replay sends a capture instead", run_traffic_.given()));
    }
    if (run_traffic_.gives_destination_mac()) options_.replay_to = options_.traffic.destination_mac;
    options_.traffic.streams.clear();
  }

  /// What means nothing where every stream has a rate of its own.
  void need_a_free_stream() const {
    for (const StreamConfig& stream : options_.traffic.streams) {
      if (!stream.fixed_rate) return;
    }
    refuse("every stream has a fixed rate: there is none to search for");
  }

  void finish() {
    Options& options = options_;
    switch (options.command) {
      case Command::run:
        finish_rate();
        run_devices_.finish(chosen_, options);
        options.traffic = run_traffic_.finish(options.run.rate, rate_given_);
        check_destination(run_traffic_);
        finish_replay();
        break;
      case Command::search:
        search_devices_.finish(chosen_, options);
        options.traffic = search_traffic_.finish(options.run.rate, true);
        if (options.search.highest <= options.search.lowest) refuse("--max-rate: expected more than --min-rate");
        check_destination(search_traffic_);
        need_a_free_stream();
        break;
      case Command::self_test:
        options.traffic = self_traffic_.finish(options.run.rate, true);
        turn_rates_into_weights();
        options.run.duration = self_duration_;
        break;
      case Command::write_pcap:
        options.traffic = write_traffic_.finish(options.run.rate, chosen_->count("--rate") > 0);
        break;
      case Command::check:
        options.traffic = check_traffic_.finish(options.run.rate, chosen_->count("--rate") > 0);
        break;
      case Command::report:
        break;
    }
    const bool to_file = options.command == Command::write_pcap || options.command == Command::check;
    if (to_file && std::isinf(options.run.rate))
      refuse("a capture needs times: give --rate, since the profile has none");
    check_cores();
    check_unpaced();
    check_outputs();
  }

  /// Streams with rates of their own keep their shares at the rate that is to be found.
  void turn_rates_into_weights() {
    double weights = 0;
    for (const StreamConfig& stream : options_.traffic.streams) weights += stream.fixed_rate ? 0 : stream.weight;
    for (StreamConfig& stream : options_.traffic.streams) {
      stream.weight = stream.fixed_rate ? *stream.fixed_rate : options_.run.rate * stream.weight / weights;
      stream.fixed_rate.reset();
    }
  }

  void check_outputs() const {
    for (const char* name : {"--json", "--html", "--output"}) {
      const CLI::Option* option = chosen_->get_option_no_throw(name);
      if (option != nullptr && option->count() > 0 && option->as<std::string>().empty()) {
        refuse(fmt::format("{}: expected the name of a file, or - for standard output", name));
      }
    }
    if (options_.json.empty() || options_.html.empty()) return;
    const auto plain = [](const std::string& path) { return std::filesystem::path(path).lexically_normal(); };
    if (plain(options_.json) == plain(options_.html)) {
      refuse(fmt::format("--json and --html: both to {}, expected two files", options_.json));
    }
  }

  /// A NIC's neighbours drop what is not for them, and no default can be the MAC of the balancer's.
  void check_destination(const TrafficArguments& traffic) const {
    const Device& transmitting = options_.engine.devices.front();
    if (!transmitting.pci || !options_.replay.empty() || traffic.gives_destination_mac()) return;
    refuse(fmt::format("--pci {}: needs --destination-mac, the MAC of the balancer's port", transmitting.name));
  }

  void check_cores() const {
    const std::vector<uint32_t>& cores = options_.engine.cores;
    if (cores.size() > 2) refuse(fmt::format("--cores: {} CPUs, expected one or two", cores.size()));
    if (cores.size() == 2 && cores[0] == cores[1]) refuse(fmt::format("--cores: CPU {} is named twice", cores[0]));
  }

  void check_unpaced() const {
    const bool unpaced = options_.command == Command::run && std::isinf(options_.run.rate);
    for (const StreamConfig& stream : options_.traffic.streams) {
      if (unpaced && stream.fixed_rate) {
        refuse(
            fmt::format("stream {} has a fixed rate, which means nothing beside streams without a limit", stream.name));
      }
    }
  }

  CLI::App app_{"warmswap-gen: generates traffic for a load balancer and checks what it makes of it"};
  Options options_;
  CLI::App* chosen_ = nullptr;
  std::string rate_text_;
  bool rate_given_ = false;
  nanoseconds self_duration_{std::chrono::seconds(2)};
  TrafficArguments run_traffic_;
  TrafficArguments search_traffic_;
  TrafficArguments self_traffic_;
  TrafficArguments write_traffic_;
  TrafficArguments check_traffic_;
  DeviceArguments run_devices_;
  DeviceArguments search_devices_;
  DeviceArguments self_devices_;
};

}  // namespace

std::variant<Options, Exit> parse_options(int argc, const char* const* argv) {
  return CommandLine().parse(argc, argv);
}

}  // namespace warmswap::gen
