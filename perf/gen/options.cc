#include "perf/gen/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <functional>
#include <sstream>

#include "controlplane/config/text.h"
#include "perf/gen/fields.h"
#include "perf/gen/profile.h"

namespace warmswap::gen {
namespace {

using std::chrono::nanoseconds;

constexpr int kUsageError = 2;
constexpr const char* kDefaultVip = "198.51.100.10";

/// Ends parsing with a sentence.
[[noreturn]] void refuse(const std::string& sentence) {
  throw CLI::ValidationError(sentence);
}

void duration_option(CLI::App* app, const std::string& name, nanoseconds& out, nanoseconds least,
                     const std::string& help) {
  app->add_option_function<std::string>(
         name,
         [name, &out, least](const std::string& text) {
           const auto value = config::parse_duration(text);
           if (!value || *value < least) {
             refuse(fmt::format("{} {}: expected a duration from {} such as 500ms or 10s", name, text,
                                config::format_duration(least)));
           }
           out = *value;
         },
         help)
      ->type_name("DURATION")
      ->default_str(config::format_duration(out));
}

void rate_option(CLI::App* app, const std::string& name, double& out, const std::string& help, bool max_allowed) {
  app->add_option_function<std::string>(
         name,
         [name, &out, max_allowed](const std::string& text) {
           const auto rate = parse_rate(text);
           if (!rate || (std::isinf(*rate) && !max_allowed)) {
             refuse(fmt::format("{} {}: expected packets a second from 1 to 1G, such as 1Mpps{}", name, text,
                                max_allowed ? ", or max" : ""));
           }
           out = *rate;
         },
         help)
      ->type_name("RATE");
}

/// A share written as "0.5%" or "0.005".
void share_option(CLI::App* app, const std::string& name, double& out, const std::string& help) {
  app->add_option_function<std::string>(
         name,
         [name, &out](std::string text) {
           const std::string given = text;
           const bool percent = text.ends_with('%');
           if (percent) text.pop_back();
           const auto value = parse_amount(text);
           if (!value || *value > (percent ? 100 : 1)) {
             refuse(fmt::format("{} {}: expected a share such as 0.5% or 0.005", name, given));
           }
           out = percent ? *value / 100 : *value;
         },
         help)
      ->type_name("SHARE");
}

/// Collects what the options of one subcommand say; finish() makes values of it after parsing.
class TrafficArguments {
 public:
  void add_to(CLI::App* app) {
    for (const StreamField& field : stream_fields()) {
      // These tell streams of a profile apart; one stream on the command line has no use for them.
      if (field.key == "name" || field.key == "weight" || field.key == "fixed_rate") continue;
      std::string name = "--" + std::string(field.key);
      std::ranges::replace(name, '_', '-');
      app->add_option_function<std::string>(
             name, [this, name, &field](const std::string& text) { read(name, field, text); }, std::string(field.help))
          ->type_name(std::string(field.placeholder))
          ->group("Traffic: one stream");
    }
    app->add_option("--profile", profile_, "TOML file that describes several streams instead")
        ->type_name("FILE")
        ->group("Traffic");
    app->add_option("--seed", seed_, "another seed gives other 5-tuples and another order (default 1)")
        ->type_name("N")
        ->group("Traffic");
    app->add_option("--syn-flood", flood_,
                    "besides, SYNs from random addresses to the first stream's vips at this rate")
        ->type_name("RATE")
        ->group("Traffic");
    app->add_option("--destination-mac", destination_mac_, "of the balancer's port (default 02:00:00:00:00:01)")
        ->type_name("MAC")
        ->group("Traffic");
    app->add_option("--source-mac", source_mac_, "when left out, that of the transmitting port")
        ->type_name("MAC")
        ->group("Traffic");
  }

  /// The profile's rate goes to `rate` unless `rate_given`.
  TrafficConfig finish(double& rate, bool rate_given) {
    TrafficConfig traffic;
    if (!profile_.empty()) {
      if (!given_.empty()) refuse(fmt::format("{}: a profile describes its streams itself; leave it out", given_));
      auto profile = read_profile(profile_);
      if (!profile) refuse(profile.error());
      traffic.streams = std::move(profile->streams);
      traffic.seed = profile->seed.value_or(traffic.seed);
      if (profile->rate && !rate_given) rate = *profile->rate;
    } else {
      if (stream_.vips.empty()) stream_.vips = {*parse_ip(kDefaultVip)};
      if (const auto sentence = contradiction(stream_)) refuse(*sentence);
      traffic.streams = {stream_};
    }
    if (seed_) traffic.seed = *seed_;
    if (!flood_.empty()) {
      const auto flood_rate = parse_rate(flood_);
      if (!flood_rate || std::isinf(*flood_rate)) refuse("--syn-flood " + flood_ + ": expected a rate such as 100kpps");
      traffic.streams.push_back(syn_flood(traffic.streams.front(), *flood_rate));
    }
    read_macs(traffic);
    return traffic;
  }

 private:
  void read(const std::string& name, const StreamField& field, const std::string& text) {
    given_ = name;
    if (!field.read(text, stream_)) {
      refuse(fmt::format("{} {}: expected {}", name, config::quote(text), field.expected));
    }
  }

  void read_macs(TrafficConfig& traffic) const {
    const auto read = [](const std::string& name, const std::string& text) {
      const auto mac = parse_mac(text);
      if (!mac || ((*mac)[0] & 1) != 0) {
        refuse(fmt::format("{} {}: expected a unicast MAC such as 02:00:00:00:00:01", name, text));
      }
      return *mac;
    };
    if (!destination_mac_.empty()) traffic.destination_mac = read("--destination-mac", destination_mac_);
    if (!source_mac_.empty()) traffic.source_mac = read("--source-mac", source_mac_);
  }

  StreamConfig stream_;
  std::string given_;  // the last stream option
  std::string profile_;
  std::optional<uint64_t> seed_;
  std::string flood_;
  std::string destination_mac_;
  std::string source_mac_;
};

class DeviceArguments {
 public:
  void add_to(CLI::App* app, Options& options, bool own_devices) {
    if (!own_devices) {
      vdev_ =
          app->add_option("--vdev", vdevs_, "DPDK virtual device, such as net_memif0,role=client,socket=/run/m.sock")
              ->type_name("ARGS");
      pci_ =
          app->add_option("--pci", pcis_, "NIC bound to vfio-pci (or left with its driver: mlx5)")->type_name("ADDR");
      for (CLI::Option* option : {vdev_, pci_}) option->allow_extra_args(false)->group("Devices");
      app->add_option("--mtu", options.engine.mtu, "of the ports; when left out, what the frames need in a tunnel")
          ->type_name("BYTES")
          ->check(CLI::Range(576, 9600))
          ->group("Devices");
      duration_option(app, "--link-wait", link_wait_, nanoseconds(0), "how long to wait until the links are up");
      app->get_option("--link-wait")->group("Devices");
    }
    app->add_option("--cores", options.engine.cores,
                    "CPUs: two = transmit on the first, receive on the second; one = both in turn. When left out, the "
                    "last two this process may use")
        ->delimiter(',')
        ->type_name("LIST")
        ->group("Devices");
    app->add_option_function<std::string>(
           "--huge", [&options](const std::string& text) { options.engine.hugepages = read_hugepages(text); },
           "hugepages: auto, required or off")
        ->type_name("WHEN")
        ->default_str("auto")
        ->group("Devices");
    app->add_flag_callback(
           "--no-huge", [&options] { options.engine.hugepages = io::Hugepages::off; }, "as --huge off")
        ->group("Devices");
    app->add_option("--memory", options.engine.memory_mib, "MiB for packet buffers")
        ->type_name("MIB")
        ->check(CLI::Range(64, 65536))
        ->capture_default_str()
        ->group("Devices");
    app->add_option("--descriptors", options.engine.descriptors, "of each queue")
        ->type_name("N")
        ->check(CLI::Range(64, 16384))
        ->capture_default_str()
        ->group("Devices");
    app->add_option("--eal", options.engine.eal_args,
                    "further argument for DPDK; may be repeated: --eal=--single-file-segments")
        ->allow_extra_args(false)
        ->type_name("ARG")
        ->group("Devices");
  }

  /// The devices in the order they were named: the first transmits, the last receives.
  void finish(CLI::App* app, Options& options) {
    size_t vdev = 0;
    size_t pci = 0;
    for (const CLI::Option* option : app->parse_order()) {
      if (option == vdev_) options.engine.devices.push_back({vdevs_[vdev++], false});
      if (option == pci_) options.engine.devices.push_back({pcis_[pci++], true});
    }
    if (options.engine.devices.empty()) {
      refuse("no device: name the transmitting and the receiving one with --vdev or --pci, or one that does both");
    }
    if (options.engine.devices.size() > 2) {
      refuse(fmt::format("{} devices, expected one or two: the first transmits, the second receives",
                         options.engine.devices.size()));
    }
    options.run.receive = options.engine.devices.size() - 1;
    options.engine.link_wait = std::chrono::duration_cast<std::chrono::milliseconds>(link_wait_);
  }

 private:
  static io::Hugepages read_hugepages(const std::string& text) {
    if (text == "auto") return io::Hugepages::automatic;
    if (text == "required") return io::Hugepages::required;
    if (text == "off") return io::Hugepages::off;
    refuse("--huge " + text + ": expected auto, required or off");
  }

  CLI::Option* vdev_ = nullptr;
  CLI::Option* pci_ = nullptr;
  std::vector<std::string> vdevs_;
  std::vector<std::string> pcis_;
  nanoseconds link_wait_{std::chrono::seconds(10)};
};

/// The whole command line: declares everything, then turns what was said into Options.
class CommandLine {
 public:
  CommandLine() {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "warmswap-gen " WARMSWAP_VERSION);
    app_.footer(
        "docs/traffic-generator.md explains what the figures mean. Exit codes: 0 ok, 1 the verdict is against "
        "the balancer, 2 wrong usage, 3 it could not run.");
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
    app->add_option("--html", options_.html, "result as a page with plots")->type_name("FILE")->group("Output");
    app->add_flag("--progress", options_.progress, "a line a second even where standard error is no terminal")
        ->group("Output");
  }

  void declare_sending(CLI::App* app) {
    app->add_option("--burst", options_.run.burst, "most packets handed to the device at once")
        ->type_name("N")
        ->check(CLI::Range(1, 64))
        ->capture_default_str()
        ->group("Sending and receiving");
    duration_option(app, "--catch-up", options_.run.catch_up, nanoseconds(0),
                    "departures overdue for longer, after the generator itself was held up, are left out and counted");
    duration_option(app, "--late", options_.run.late, nanoseconds(0),
                    "departures further behind schedule count as late");
    duration_option(app, "--drain", options_.run.drain, nanoseconds(0),
                    "how long to wait for packets still on their way");
    for (const char* name : {"--catch-up", "--late", "--drain"}) app->get_option(name)->group("Sending and receiving");
    app->add_option("--gue-port", options_.run.gue_port, "UDP port that means GUE")
        ->type_name("PORT")
        ->check(CLI::Range(1, 65535))
        ->capture_default_str()
        ->group("Sending and receiving");
    app->add_flag_callback(
           "--no-flow-table", [this] { options_.run.flow_table = false; },
           "do not check misrouting and reordering: saves 8 bytes a flow and a cache miss a packet")
        ->group("Sending and receiving");
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
        ->group("Sending and receiving");
    duration_option(app, "--duration", options_.run.duration, std::chrono::milliseconds(10), "of sending");
    duration_option(app, "--timeline", options_.run.interval, std::chrono::milliseconds(1),
                    "length of an interval of the counts per backend over time");
    for (const char* name : {"--duration", "--timeline"}) app->get_option(name)->group("Sending and receiving");
    app->add_option("--replay", options_.replay, "send the frames of this pcap file over and over instead of streams")
        ->type_name("FILE")
        ->group("Traffic");
    declare_sending(app);
    share_option(app, "--max-loss", options_.limits.loss, "loss that is no failure: 0.1%, 0.001 (default 0)");
    app->get_option("--max-loss")->group("Verdict");
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
        ->default_str("mlr");
    rate_option(app, "--min-rate", search.lowest, "lowest rate tried (default 10kpps)", false);
    rate_option(app, "--max-rate", search.highest, "highest rate tried (default 10Mpps)", false);
    share_option(app, "--resolution", search.resolution, "width of the last bracket against the rate (default 1%)");
    share_option(app, "--partial-loss", search.partial_loss, "loss that PDR allows (default 0.5%)");
    duration_option(app, "--trial", search.trial, std::chrono::milliseconds(50),
                    "of a trial; RFC 2544 asks for 60s for a figure to publish");
    duration_option(app, "--first-trial", search.first_trial, std::chrono::milliseconds(20),
                    "of the trials that only narrow down (mlr)");
    duration_option(app, "--decide", search.decide, std::chrono::milliseconds(50),
                    "of the trials at one rate together that decide about it (mlr)");
    duration_option(app, "--most", search.most, std::chrono::seconds(1), "of the whole search");
    for (const char* name : {"--method", "--min-rate", "--max-rate", "--resolution", "--partial-loss", "--trial",
                             "--first-trial", "--decide", "--most"}) {
      app->get_option(name)->group("Search");
    }
    declare_sending(app);
    declare_output(app);
  }

  void declare_self_test() {
    CLI::App* app =
        add("self-test", Command::self_test, "what this generator itself can do on this machine, without any balancer");
    self_devices_.add_to(app, options_, true);
    self_traffic_.add_to(app);
    duration_option(app, "--duration", self_duration_, std::chrono::milliseconds(100), "of each part");
    app->get_option("--duration")->group("Sending and receiving");
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
      rate_option(app, "--rate", options_.run.rate, "packets a second (default 1Mpps)", false);
    }
    check->add_option("--gue-port", options_.run.gue_port, "UDP port that means GUE")->type_name("PORT");
    share_option(check, "--max-loss", options_.limits.loss, "loss that is no failure (default 0)");
    check->add_option("--max-misrouted-flows", options_.limits.misrouted_flows, "flows that may change backends")
        ->type_name("N");
    declare_output(check);
    CLI::App* report = add("report", Command::report, "make a page of a report in JSON");
    report->add_option("FILE", options_.file, "the JSON document (perf/report/document_json.h)")->required();
    report->add_option("-o,--output", options_.html, "the page")->type_name("FILE")->required();
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

  void finish() {
    Options& options = options_;
    switch (options.command) {
      case Command::run:
        finish_rate();
        run_devices_.finish(chosen_, options);
        options.traffic = run_traffic_.finish(options.run.rate, rate_given_);
        options.run.replay = !options.replay.empty();
        if (options.run.replay) options.traffic.streams.clear();
        break;
      case Command::search:
        search_devices_.finish(chosen_, options);
        options.traffic = search_traffic_.finish(options.run.rate, true);
        if (options.search.highest <= options.search.lowest) refuse("--max-rate: expected more than --min-rate");
        break;
      case Command::self_test:
        options.traffic = self_traffic_.finish(options.run.rate, true);
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
    check_cores();
    check_unpaced();
  }

  void check_cores() const {
    const std::vector<uint32_t>& cores = options_.engine.cores;
    if (cores.size() > 2) refuse(fmt::format("--cores: {} CPUs, expected one or two", cores.size()));
    if (cores.size() == 2 && cores[0] == cores[1]) refuse(fmt::format("--cores: CPU {} is named twice", cores[0]));
  }

  void check_unpaced() const {
    const bool unpaced =
        options_.command == Command::self_test || (options_.command == Command::run && std::isinf(options_.run.rate));
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
