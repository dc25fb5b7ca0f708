// synod-bench: prints speeds and ratios, for people and as JSON. Figures, not tests: no command fails for being slow.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "common/core/canonical_json.h"
#include "common/core/version.h"
#include "common/crypto/secret_random.h"
#include "common/privacy/discrete_gaussian.h"
#include "common/query/clipped_summer.h"
#include "common/query/noise_share.h"
#include "models/engine/allocator.h"
#include "models/engine/engine_benchmark.h"
#include "tools/bench/account_benchmark.h"
#include "tools/bench/net_benchmark.h"
#include "tools/bench/secure_agg_benchmark.h"
#include "tools/synod/commands.h"
#include "tools/synod/generator_files.h"

namespace synod {
namespace {

using Results = std::vector<Json>;

double Seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Json EngineResult(const std::string& name, const engine::EngineTiming& timing) {
  return {{"name", name},
          {"plain_ms", timing.plain.cpu_median},
          {"plain_least_ms", timing.plain.cpu_least},
          {"plain_wall_ms", timing.plain.wall_median},
          {"ratio", timing.whole.cpu_median / timing.plain.cpu_median},
          {"ratio_of_least", timing.whole.cpu_least / timing.plain.cpu_least},
          {"ratio_wall", timing.whole.wall_median / timing.plain.wall_median},
          {"block_ratio", timing.block.cpu_median / timing.plain.cpu_median},
          {"block_ratio_of_least", timing.block.cpu_least / timing.plain.cpu_least},
          {"block_ratio_wall", timing.block.wall_median / timing.plain.wall_median},
          {"block_ratio_of_least_wall", timing.block.wall_least / timing.plain.wall_least},
          {"grid_and_noise_ms", timing.grid_and_noise_ms},
          {"memory_ratio", timing.whole_peak_mib / timing.plain_peak_mib},
          {"block_memory_ratio", timing.block_peak_mib / timing.plain_peak_mib}};
}

// Times are processor times unless they say wall: on a shared machine those of others are not in them.
Results BenchEngine(int repeats, unsigned threads) {
  engine::KeepFreedMemory();
  Results results;
  for (const std::int64_t units : {256, 1024, 4096}) {
    engine::EngineBenchmarkCase setting;
    setting.units = units;
    results.push_back(EngineResult(fmt::format("mlp 100-512-512-100, about {} units", units),
                                   engine::TimeEngine(setting, repeats, threads)));
  }
  engine::EngineBenchmarkCase rows;
  rows.units = 256;
  rows.uses = 8;
  results.push_back(EngineResult("the same, about 256 units of 8 rows", engine::TimeEngine(rows, repeats, threads)));
  engine::EngineBenchmarkCase calls;
  calls.calls = 8;
  results.push_back(EngineResult("the same, about 1024 units, the middle layer called 8 times",
                                 engine::TimeEngine(calls, repeats, threads)));
  return results;
}

Results BenchNoise(unsigned threads) {
  Results results;
  constexpr std::size_t kSamples = 10'000'000;
  for (const double sigma : {3.0, 8.0, 30.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e7}) {
    const auto variance = static_cast<std::uint64_t>(sigma * sigma);
    const DiscreteGaussian noise(variance);
    SecretRandom random = SecretRandom::FromOperatingSystem();
    std::vector<std::int64_t> values(kSamples, 0);
    const double seconds = Seconds([&] { noise.AddTo(random, values, threads); });
    results.push_back({{"name", fmt::format("discrete Gaussian, sigma {:g}, {} threads", sigma, threads)},
                       {"samples_per_s", static_cast<double>(kSamples) / seconds}});
  }
  return results;
}

// From the float64 sum of the blocks to the bytes of the answer.
Results BenchAnswer(unsigned threads) {
  constexpr std::size_t kDimension = 10'000'000;
  const Grid grid = *Grid::Make(std::ldexp(1.0, 20), 1.0, kDimension);
  const double sigma = 1.5 * grid.sensitivity();
  const NoiseShare share = *NoiseShare::Make(grid, static_cast<std::uint64_t>(sigma * sigma), 1);
  SecretRandom random = SecretRandom::FromOperatingSystem();
  ClippedSummer summer(kDimension, 1.0);
  summer.AddBlock(std::vector<float>(kDimension, 1e-4f), 1);
  ClippedSum sum = std::move(summer).Finish();
  std::optional<NoisedSum> noised;
  const double noise_seconds = Seconds([&] { noised = share.Add(grid.Encode(std::move(sum)), random, threads); });
  std::size_t bytes = 0;
  const double words_seconds = Seconds([&] { bytes = StandaloneSum(std::move(*noised)).Encode(WordBits::k32).size(); });
  return {{{"name", fmt::format("an answer of {} coordinates, {} threads", kDimension, threads)},
           {"grid_and_noise_ms", 1e3 * noise_seconds},
           {"words_ms", 1e3 * words_seconds},
           {"mb", static_cast<double>(bytes) / 1e6}}};
}

Result<Results> BenchAccount(int repeats) {
  SYNOD_ASSIGN_OR_RETURN(const AccountTiming timing, TimeAccount(repeats));
  Results results;
  for (const EpsilonTiming& epsilon : timing.epsilons) {
    results.push_back({{"name", epsilon.name},
                       {"interval_ms", epsilon.interval_ms},
                       {"upper_ms", epsilon.upper_ms},
                       {"epsilon_upper", epsilon.epsilon_upper},
                       {"epsilon_lower", epsilon.epsilon_lower}});
  }
  for (const CalibrationTiming& calibration : timing.calibrations) {
    results.push_back({{"name", calibration.name},
                       {"milliseconds", calibration.milliseconds},
                       {"noise_multiplier", calibration.noise_multiplier}});
  }
  results.push_back({{"name", "all of it"}, {"peak_memory_mb", timing.peak_memory_mb}});
  return results;
}

Result<Results> BenchSample(const std::string& path) {
  SYNOD_ASSIGN_OR_RETURN(const GeneratorFile file, GeneratorFile::Read(path));
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<Generator> generator, GeneratorOf(file));
  constexpr std::uint64_t kBlocks = 8;
  std::optional<Error> error;
  const double seconds = Seconds([&] {
    for (std::uint64_t block = 0; block < kBlocks; ++block) {
      const Result<Table> table = generator->Block(0, block, Generator::kBlockRows, {});
      if (!table.ok()) error = table.error();
    }
  });
  if (error) return *error;
  return Results{{{"name", "rows from " + path + ", one thread"},
                  {"rows_per_s", static_cast<double>(kBlocks * Generator::kBlockRows) / seconds}}};
}

// The fastest of `repeats` runs by the coordinator's time: other work of the machine only ever adds to it.
SecureAggTiming FastestOf(const SecureAggBenchmarkCase& setting, int repeats) {
  std::vector<SecureAggTiming> runs;
  for (int i = 0; i < std::max(1, repeats); ++i) runs.push_back(TimeSecureAgg(setting));
  return *std::min_element(runs.begin(), runs.end(), [](const SecureAggTiming& a, const SecureAggTiming& b) {
    return a.coordinator_ms < b.coordinator_ms;
  });
}

Result<Results> BenchSecureAgg(int repeats) {
  Results results;
  const std::vector<SecureAggBenchmarkCase> settings = {{10, 1'000'000, 0},  {10, 1'000'000, 1}, {10, 10'000'000, 0},
                                                        {10, 10'000'000, 1}, {50, 1'000'000, 0}, {100, 1'000'000, 0},
                                                        {100, 1'000'000, 10}};
  for (const SecureAggBenchmarkCase& setting : settings) {
    const SecureAggTiming timing = FastestOf(setting, std::min(repeats, 5));
    if (!timing.exact) return Failed("the sum of an attempt is not that of its inputs");
    results.push_back({{"name", fmt::format("secure aggregation of {} sites, {} coordinates, {} drop-outs",
                                            setting.sites, setting.dimension, setting.drop_outs)},
                       {"site_ms", timing.site_ms},
                       {"site_wall_ms", timing.site_wall_ms},
                       {"coordinator_ms", timing.coordinator_ms},
                       {"coordinator_wall_ms", timing.coordinator_wall_ms},
                       {"receive_ms", timing.receive_ms},
                       {"open_ms", timing.open_ms},
                       {"coordinator_accumulators", timing.coordinator_accumulators}});
  }
  return results;
}

void PrintText(const Results& results) {
  for (const Json& result : results) {
    std::string line = result["name"].get<std::string>() + ":";
    for (const auto& [key, value] : result.items()) {
      if (key != "name") line += fmt::format("  {} {:.4g}", key, value.get<double>());
    }
    std::printf("%s\n", line.c_str());
  }
}

int Main(int argc, char** argv) {
  CLI::App app("Speeds of Synod's parts; figures for this machine, no pass or fail", "synod-bench");
  std::string format = "text";
  unsigned threads = 1;
  int repeats = 15;
  std::string generator;
  app.set_version_flag("--version", std::string("synod-bench ") + kVersion);
  app.add_option("--format", format, "text or json")->check(CLI::IsMember({"text", "json"}))->capture_default_str();
  app.add_option("--threads", threads, "Threads")->capture_default_str();
  app.add_option("--repeats", repeats, "Runs per figure; the median is printed")->capture_default_str();
  app.require_subcommand(1);
  app.fallthrough();
  CLI::App* engine = app.add_subcommand("engine", "A private gradient sum against the same plain LibTorch step");
  CLI::App* noise = app.add_subcommand("noise", "Exact discrete Gaussian samples");
  CLI::App* account = app.add_subcommand("account", "Epsilon of long compositions, and calibration of noise");
  CLI::App* net = app.add_subcommand("net", "Links between processes: TLS over loopback, beside OpenSSL's own rates");
  CLI::App* secure = app.add_subcommand("secure-agg", "Masking, unmasking and signatures, at each end, on one core");
  CLI::App* sample = app.add_subcommand("sample", "Rows drawn from a generator file");
  sample->add_option("generator", generator, "Generator file (*.synod)")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return static_cast<int>(ErrorCode::kBadInput);
  }
  Result<Results> results = Results{};
  if (engine->parsed()) results = BenchEngine(repeats, threads);
  if (noise->parsed()) {
    results = BenchNoise(threads);
    for (Json& result : BenchAnswer(threads)) results->push_back(std::move(result));
  }
  if (account->parsed()) results = BenchAccount(repeats);
  if (net->parsed()) results = NetFigures(5);
  if (secure->parsed()) results = BenchSecureAgg(repeats);
  if (sample->parsed()) results = BenchSample(generator);
  if (!results.ok()) {
    std::fprintf(stderr, "synod-bench: %s\n", results.error().message.c_str());
    return static_cast<int>(results.error().code);
  }
  if (format == "json") {
    std::printf("%s\n", Json({{"results", *results}}).dump().c_str());
  } else {
    PrintText(*results);
  }
  return 0;
}

}  // namespace
}  // namespace synod

int main(int argc, char** argv) {
  return synod::Main(argc, argv);
}
