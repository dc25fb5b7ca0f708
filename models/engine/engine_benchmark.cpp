#include "models/engine/engine_benchmark.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <ctime>
#include <functional>
#include <random>

#include "common/core/check.h"
#include "common/crypto/secret_random.h"
#include "common/privacy/discrete_gaussian.h"
#include "common/query/clipped_summer.h"
#include "common/query/grid.h"
#include "common/query/keyed_blocks.h"
#include "models/engine/pass_plan.h"
#include "models/engine/per_unit_gradient.h"
#include "models/engine/tape.h"

namespace synod::engine {
namespace {

constexpr double kClip = 1.0;
constexpr std::size_t kRowsPerPass = 2048;
constexpr double kMebibyte = 1048576.0;

struct Mlp {
  explicit Mlp(const EngineBenchmarkCase& setting)
      : first(builder.Linear("first", setting.width, setting.hidden)),
        middle(builder.Linear("middle", setting.hidden, setting.hidden)),
        last(builder.Linear("last", setting.hidden, setting.width)) {}
  ParameterBuilder builder;
  LinearLayer first;
  LinearLayer middle;
  LinearLayer last;
};

struct Batch {
  torch::Tensor input;
  torch::Tensor target;
  BlockedBatch blocks;
};

// Counts what LibTorch holds: bytes now, and the most there were.
class CountingAllocator final : public c10::Allocator {
 public:
  CountingAllocator() { inner_ = c10::GetAllocator(c10::DeviceType::CPU), current_ = 0, most_ = 0; }
  static void Uninstall() { c10::SetAllocator(c10::DeviceType::CPU, inner_, kPriority); }
  void Install() { c10::SetAllocator(c10::DeviceType::CPU, this, kPriority); }
  // LibTorch 2.3 made it not const and asks for a copy.
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 3)
  c10::DataPtr allocate(std::size_t bytes) override {
    return Counted(bytes);
  }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
#else
  c10::DataPtr allocate(std::size_t bytes) const override {
    return Counted(bytes);
  }
#endif
  c10::DeleterFnPtr raw_deleter() const override {
    return &Delete;
  }
  static double MostMebibytes() {
    return static_cast<double>(most_) / kMebibyte;
  }

 private:
  static c10::DataPtr Counted(std::size_t bytes) {
    c10::DataPtr data = inner_->allocate(bytes);
    void* address = data.release_context();
    if (address != nullptr) {
      const std::int64_t now = current_ += static_cast<std::int64_t>(malloc_usable_size(address));
      most_ = std::max<std::int64_t>(most_, now);
    }
    return {address, address, &Delete, c10::Device(c10::DeviceType::CPU)};
  }
  static void Delete(void* address) {
    if (address == nullptr) return;
    current_ -= static_cast<std::int64_t>(malloc_usable_size(address));
    inner_->raw_deleter()(address);
  }
  static constexpr std::uint8_t kPriority = 1;
  static inline c10::Allocator* inner_ = nullptr;  // a deleter knows nothing but the address
  static inline std::atomic<std::int64_t> current_ = 0;
  static inline std::atomic<std::int64_t> most_ = 0;
};

double PeakMebibytes(const std::function<void()>& work) {
  CountingAllocator counting;
  counting.Install();
  work();
  counting.Uninstall();
  return CountingAllocator::MostMebibytes();
}

class Stopwatch {
 public:
  void Time(const std::function<void()>& work) {
    const std::clock_t cpu = std::clock();
    const auto wall = std::chrono::steady_clock::now();
    work();
    cpu_.push_back(1e3 * static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC);
    wall_.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - wall).count());
  }
  void ForgetWarmUp() { cpu_.clear(), wall_.clear(); }
  StepTime Result() {
    std::sort(cpu_.begin(), cpu_.end());
    std::sort(wall_.begin(), wall_.end());
    return {cpu_[cpu_.size() / 2], cpu_.front(), wall_[wall_.size() / 2], wall_.front()};
  }

 private:
  std::vector<double> cpu_;
  std::vector<double> wall_;
};

struct PlainStep {
  explicit PlainStep(const EngineBenchmarkCase& setting)
      : first(setting.width, setting.hidden),
        middle(setting.hidden, setting.hidden),
        last(setting.hidden, setting.width),
        calls(setting.calls),
        optimiser(
            [&] {
              std::vector<torch::Tensor> all = first->parameters();
              for (const torch::Tensor& parameter : middle->parameters()) all.push_back(parameter);
              for (const torch::Tensor& parameter : last->parameters()) all.push_back(parameter);
              return all;
            }(),
            torch::optim::SGDOptions(1e-4)) {}
  void Run(const Batch& batch) {
    optimiser.zero_grad();
    torch::Tensor x = torch::relu(first->forward(batch.input));
    for (std::int64_t call = 0; call < calls; ++call) x = torch::relu(middle->forward(x));
    (last->forward(x) - batch.target).square().sum(1).mean().backward();
    optimiser.step();
  }
  torch::nn::Linear first;
  torch::nn::Linear middle;
  torch::nn::Linear last;
  std::int64_t calls;
  torch::optim::SGD optimiser;
};

class PrivateStep {
 public:
  PrivateStep(const EngineBenchmarkCase& setting, const torch::Tensor& flat)
      : setting_(setting), mlp_(setting), flat_(flat), sum_(static_cast<std::size_t>(flat.numel())) {}

  void Whole(const Batch& batch) {
    const auto units = static_cast<std::int64_t>(batch.blocks.units.size());
    GradientOf(batch, 0, units).SumWithoutBlockRule(0, units, sum_);
  }

  ClippedSum Blocks(const Batch& batch) {
    ClippedSummer summer(sum_.size(), kClip);
    const std::vector<std::uint32_t>& ends = batch.blocks.block_ends;
    for (const Pass& pass : Passes(ends, kRowsPerPass / static_cast<std::size_t>(setting_.uses))) {
      const PerUnitGradient gradient = GradientOf(batch, pass.first_unit, pass.last_unit);
      for (std::size_t block = pass.first_block; block < pass.last_block; ++block) {
        const std::uint32_t first = block == 0 ? 0 : ends[block - 1];
        gradient.BlockSum(first - pass.first_unit, ends[block] - pass.first_unit, sum_);
        summer.AddBlock(sum_, ends[block] - first);
      }
    }
    return std::move(summer).Finish();
  }

 private:
  PerUnitGradient GradientOf(const Batch& batch, std::int64_t first_unit, std::int64_t last_unit) {
    const std::int64_t first = first_unit * setting_.uses;
    const std::int64_t last = last_unit * setting_.uses;
    Tape tape(flat_, last_unit - first_unit, setting_.uses);
    torch::Tensor x = torch::relu(tape.Linear(mlp_.first, batch.input.slice(0, first, last)));
    for (std::int64_t call = 0; call < setting_.calls; ++call) x = torch::relu(tape.Linear(mlp_.middle, x));
    const torch::Tensor rows = (tape.Linear(mlp_.last, x) - batch.target.slice(0, first, last)).square().sum(1);
    return {tape, rows.view({-1, setting_.uses}).mean(1), ClipPlan::Flat(kClip)};
  }

  EngineBenchmarkCase setting_;
  Mlp mlp_;
  torch::Tensor flat_;
  std::vector<float> sum_;
};

// Batches as a site draws them: sizes as of a Poisson sample, units in keyed blocks.
class BatchSource {
 public:
  explicit BatchSource(const EngineBenchmarkCase& setting)
      : setting_(setting),
        input_(torch::randn({2 * setting.units * setting.uses, setting.width})),
        target_(torch::randn({2 * setting.units * setting.uses, setting.width})),
        size_(static_cast<double>(setting.units), std::sqrt(static_cast<double>(setting.units))),
        secret_(SecretRandom::FromOperatingSystem()),
        blocks_(Numbers(2 * setting.units), secret_) {}

  Batch Next() {
    const auto drawn = static_cast<std::int64_t>(std::lround(size_(random_)));
    const std::int64_t units = std::clamp<std::int64_t>(drawn, 1, 2 * setting_.units);
    std::vector<std::uint32_t> numbers(static_cast<std::size_t>(units));
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::uint32_t>(i);
    const std::uint32_t most = UnitsPerBlock(setting_.uses * setting_.calls);
    const std::uint64_t blocks = KeyedBlocks::BaseBlocks(static_cast<double>(setting_.units), most);
    return {input_.slice(0, 0, units * setting_.uses), target_.slice(0, 0, units * setting_.uses),
            blocks_.Group(numbers, blocks, most)};
  }

 private:
  static std::vector<std::uint64_t> Numbers(std::int64_t count) {
    std::vector<std::uint64_t> numbers(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
    return numbers;
  }

  EngineBenchmarkCase setting_;
  torch::Tensor input_;
  torch::Tensor target_;
  std::mt19937_64 random_{7};
  std::normal_distribution<double> size_;
  SecretRandom secret_;
  KeyedBlocks blocks_;
};

void GridAndNoise(ClippedSum&& sum, SecretRandom& random, unsigned threads) {
  static constexpr std::uint64_t kVariance = std::uint64_t{1} << 20;
  const auto dimension = static_cast<std::uint64_t>(sum.dimension());
  const Result<Grid> grid = Grid::Make(0x1p20, kClip, dimension);
  SYNOD_CHECK(grid.ok(), "the benchmark's grid is one");
  const GridSum rounded = grid->Encode(std::move(sum));
  std::vector<std::int64_t> values(dimension);
  DiscreteGaussian(kVariance).AddTo(random, values, threads);
}

}  // namespace

EngineTiming TimeEngine(const EngineBenchmarkCase& setting, int repeats, unsigned threads) {
  torch::set_num_threads(static_cast<int>(threads));
  torch::manual_seed(0);
  const torch::Tensor flat = torch::randn({Mlp(setting).builder.size()}) * 0.05;
  PlainStep plain_step(setting);
  PrivateStep private_step(setting, flat);
  BatchSource source(setting);
  SecretRandom random = SecretRandom::FromOperatingSystem();
  Stopwatch plain;
  Stopwatch whole;
  Stopwatch block;
  Stopwatch noise;
  for (int repeat = -2; repeat < repeats; ++repeat) {
    if (repeat == 0) {
      for (Stopwatch* watch : {&plain, &whole, &block, &noise}) watch->ForgetWarmUp();
    }
    const Batch batch = source.Next();
    plain.Time([&] { plain_step.Run(batch); });
    whole.Time([&] { private_step.Whole(batch); });
    std::optional<ClippedSum> sum;
    block.Time([&] { sum = private_step.Blocks(batch); });
    noise.Time([&] { GridAndNoise(std::move(*sum), random, threads); });
  }
  EngineTiming timing{plain.Result(), whole.Result(), block.Result(), noise.Result().cpu_median};
  const Batch batch = source.Next();
  const double parameters = static_cast<double>(flat.numel()) / kMebibyte;
  timing.plain_peak_mib = 8.0 * parameters + PeakMebibytes([&] { plain_step.Run(batch); });
  timing.whole_peak_mib = 8.0 * parameters + PeakMebibytes([&] { private_step.Whole(batch); });
  timing.block_peak_mib = 16.0 * parameters + PeakMebibytes([&] { private_step.Blocks(batch); });
  return timing;
}

}  // namespace synod::engine
