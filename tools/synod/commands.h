// The commands of `synod`: options in, CommandOutput out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/privacy/plan.h"
#include "tools/synod/command.h"

namespace synod {

// 0 threads: as many as the machine has.
unsigned ThreadsOrAll(unsigned threads);
// What --aggregation says.
Result<Aggregation> AggregationOption(const std::string& name);

struct DemoOptions {
  std::string data;    // CSV; empty: the table that comes with the program
  std::string schema;  // TOML; required with data
  std::uint32_t sites = 4;
  double epsilon = 3.0;
  std::string model = "table_diffusion";
  std::string out = "out/demo";
  std::uint64_t seed = 1;
  unsigned threads = 0;
};
Result<CommandOutput> RunDemo(const DemoOptions& options, CommandContext& context);

struct SimulateOptions {
  std::string run_file;
  std::string data_folder;
  std::string out;
  std::optional<double> epsilon;
  std::optional<std::int64_t> sites;
  std::optional<std::int64_t> seed;
  std::string split_column;
  std::string bad_rows = "drop";  // or "clamp"
  std::string aggregation = "curator";
  unsigned threads = 0;
  std::string device = "auto";
};
Result<CommandOutput> RunSimulate(const SimulateOptions& options, CommandContext& context);

struct PlanOptions {
  std::string run_file;
  std::string data_folder;  // empty: the folder of the run file
  std::optional<double> epsilon;
  std::optional<std::int64_t> sites;
  std::optional<std::uint64_t> units;
  std::string aggregation;                 // empty: what the run file says, secure from three sites up
  std::string solve;                       // "epsilon", "units" or "steps": plan_inverse.h; empty: the plan of the file
  std::optional<double> noise_multiplier;  // the most that the answer to `solve` may need; only with it
};
Result<CommandOutput> RunPlan(const PlanOptions& options, CommandContext& context);

struct SampleOptions {
  std::string generator;
  std::uint64_t rows = 0;
  std::string out = "-";
  std::uint64_t seed = 0;
  std::vector<std::string> where;  // column=value
  std::string shard = "0/1";
  bool uncertified = false;
  std::string trust;  // what to verify with first, as for RunVerify; empty: nothing
  unsigned threads = 0;
};
Result<CommandOutput> RunSample(const SampleOptions& options, CommandContext& context);

// How probable the rows of a table of one's own are under a generator. Sends nothing.
struct LikelihoodOptions {
  std::string generator;
  std::string in;
  std::string out;  // CSV with a value for each row; empty: none
};
Result<CommandOutput> RunLikelihood(const LikelihoodOptions& options, CommandContext& context);

Result<CommandOutput> RunInspect(const std::string& generator);

struct VerifyOptions {
  std::string generator;
  std::string trust;  // a consortium's root (PEM), a kit's folder, or a file of keys (JSON); empty: no key
  bool allow_incomplete = false;
};
Result<CommandOutput> RunVerify(const VerifyOptions& options);

struct EvaluateOptions {
  std::string real;
  std::string test;
  std::string synthetic;
  std::string schema;
  std::string report;  // empty: none
};
Result<CommandOutput> RunEvaluate(const EvaluateOptions& options, CommandContext& context);

}  // namespace synod
