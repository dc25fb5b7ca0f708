#include "models/engine/engine_benchmark.h"

#include <algorithm>
#include <chrono>
#include <functional>

#include "models/engine/block_bound.h"
#include "models/engine/per_unit_gradient.h"
#include "models/engine/tape.h"

namespace synod::engine {
namespace {

struct Mlp {
  explicit Mlp(const EngineBenchmarkCase& setting)
      : first(builder.Linear("first", setting.width, setting.hidden)),
        second(builder.Linear("second", setting.hidden, setting.hidden)),
        last(builder.Linear("last", setting.hidden, setting.width)) {}
  ParameterBuilder builder;
  LinearLayer first;
  LinearLayer second;
  LinearLayer last;
};

torch::Tensor Part(const torch::Tensor& flat, std::int64_t offset, std::vector<std::int64_t> shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return flat.narrow(0, offset, count).view(shape);
}

double Milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// An ordinary step: separate weight tensors with gradients, as a torch::nn module has.
class PlainStep {
 public:
  PlainStep(const Mlp& mlp, const torch::Tensor& flat) {
    for (const LinearLayer& layer : {mlp.first, mlp.second, mlp.last}) {
      weights_.push_back(Part(flat, layer.weight_offset, {layer.out, layer.in}).clone().set_requires_grad(true));
      biases_.push_back(Part(flat, layer.bias_offset, {layer.out}).clone().set_requires_grad(true));
    }
  }
  void Run(const torch::Tensor& input, const torch::Tensor& target) {
    torch::Tensor x = input;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      x = torch::addmm(biases_[i], x, weights_[i].t());
      if (i + 1 < weights_.size()) x = torch::relu(x);
    }
    (x - target).square().sum(1).mean().backward();
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      weights_[i].mutable_grad().reset();
      biases_[i].mutable_grad().reset();
    }
  }

 private:
  std::vector<torch::Tensor> weights_;
  std::vector<torch::Tensor> biases_;
};

void PrivateStep(const Mlp& mlp, const torch::Tensor& flat, const EngineBenchmarkCase& setting,
                 const torch::Tensor& input, const torch::Tensor& target, std::int64_t units_per_block,
                 std::vector<float>& block, std::vector<double>& total) {
  Tape tape(flat, setting.units, setting.uses);
  torch::Tensor x = torch::relu(tape.Linear(mlp.first, input));
  x = torch::relu(tape.Linear(mlp.second, x));
  x = tape.Linear(mlp.last, x);
  const torch::Tensor losses = (x - target).square().sum(1).view({setting.units, setting.uses}).mean(1);
  const PerUnitGradient gradient(tape, losses, ClipPlan::Flat(1.0));
  for (std::int64_t first = 0; first < setting.units; first += units_per_block) {
    gradient.SumWithoutBlockRule(first, std::min(setting.units, first + units_per_block), block);
    for (std::size_t i = 0; i < block.size(); ++i) total[i] += static_cast<double>(block[i]);
  }
}

}  // namespace

EngineTiming TimeEngine(const EngineBenchmarkCase& setting, int repeats, unsigned threads) {
  torch::set_num_threads(static_cast<int>(threads));
  torch::manual_seed(0);
  const Mlp mlp(setting);
  const torch::Tensor flat = torch::randn({mlp.builder.size()}) * 0.05;
  const torch::Tensor input = torch::randn({setting.units * setting.uses, setting.width});
  const torch::Tensor target = torch::randn({setting.units * setting.uses, setting.width});
  std::vector<float> block(static_cast<std::size_t>(mlp.builder.size()));
  std::vector<double> total(block.size());
  PlainStep plain(mlp, flat);
  std::vector<double> plain_ms;
  std::vector<double> whole_ms;
  std::vector<double> block_ms;
  for (int repeat = 0; repeat < repeats + 2; ++repeat) {
    const double a = Milliseconds([&] { plain.Run(input, target); });
    const double b = Milliseconds([&] { PrivateStep(mlp, flat, setting, input, target, setting.units, block, total); });
    const double c = Milliseconds(
        [&] { PrivateStep(mlp, flat, setting, input, target, UnitsPerBlock(setting.uses), block, total); });
    if (repeat < 2) continue;  // warm-up
    plain_ms.push_back(a);
    whole_ms.push_back(b);
    block_ms.push_back(c);
  }
  return {Median(plain_ms), Median(whole_ms), Median(block_ms)};
}

}  // namespace synod::engine
