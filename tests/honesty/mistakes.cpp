#include "tests/honesty/mistakes.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/query/clipped_summer.h"
#include "common/query/public_random.h"

namespace synod::honesty {
namespace {

double Product(const Row& x, const Row& y) {
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

float ProductInFloat(const Row& x, const Row& y) {
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0F);
}

Row Difference(Row a, const Row& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] -= b[i];
  return a;
}

Row SumOf(const std::vector<Row>& batch) {
  Row sum(batch.front().size());
  for (const Row& row : batch) AddTo(sum, row);
  return sum;
}

Row SumOfClipped(const std::vector<Row>& rows, double clip) {
  Row sum(rows.front().size());
  for (const Row& row : rows) AddTo(sum, ClippedTo(row, clip));
  return sum;
}

}  // namespace

ClippedSum SumOfBlock(const Row& block, double clip, std::uint32_t units) {
  ClippedSummer summer(block.size(), clip);
  summer.AddBlock(block, units);
  return std::move(summer).Finish();
}

Uses EqualUses(std::size_t count) {
  return Uses(count, {{0.5F, -1.0F, 2.0F}, {1.0F, 3.0F}});
}

Uses CancellingUses(std::uint64_t seed) {
  PublicRandom random(seed, "honesty.cancelling");
  Use use{Row(64), Row(64)};
  for (float& value : use.g) value = static_cast<float>(1000.0 * random.Normal());
  for (float& value : use.a) value = static_cast<float>(1000.0 * random.Normal());
  const double nearly = 1.0 + 1e-6 * static_cast<double>(seed % 50 + 1);
  return {use, {Scaled(use.g, -1.0), Scaled(use.a, nearly)}};
}

Row GradientOf(const Uses& uses) {
  std::vector<double> sum(uses.front().g.size() * uses.front().a.size());
  for (const Use& use : uses) {
    for (std::size_t i = 0; i < use.g.size(); ++i) {
      for (std::size_t j = 0; j < use.a.size(); ++j) {
        sum[i * use.a.size() + j] += static_cast<double>(use.g[i]) * use.a[j];
      }
    }
  }
  return Row(sum.begin(), sum.end());
}

double SumOfSquaredNorms(const Uses& uses) {
  double sum = 0.0;
  for (const Use& use : uses) sum += Product(use.g, use.g) * Product(use.a, use.a);
  return sum;
}

float GramInFloat(const Uses& uses) {
  float sum = 0.0F;
  for (const Use& s : uses) {
    for (const Use& t : uses) sum += ProductInFloat(s.g, t.g) * ProductInFloat(s.a, t.a);
  }
  return sum;
}

double UpperBoundOfGram(const Uses& uses) {
  double magnitude = 0.0;
  for (const Use& use : uses) magnitude += Norm(use.g) * Norm(use.a);
  const std::size_t terms = uses.front().g.size() + uses.front().a.size() + uses.size() * uses.size();
  return GramInFloat(uses) + 4.0 * static_cast<double>(terms) * 0x1p-24 * magnitude * magnitude;
}

double WorstMoveInClips(const BatchSum& sum, const std::vector<Row>& batch, double clip) {
  const Row all = sum(batch);
  double worst = 0.0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    std::vector<Row> fewer = batch;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    worst = std::max(worst, Norm(Difference(all, sum(fewer))) / clip);
  }
  return worst;
}

Row CentredByTheBatch(const std::vector<Row>& batch, double clip) {
  const Row mean = Scaled(SumOf(batch), 1.0 / static_cast<double>(batch.size()));
  std::vector<Row> centred;
  for (const Row& row : batch) centred.push_back(Difference(row, mean));
  return SumOfClipped(centred, clip);
}

Row AttentionAcrossRows(const std::vector<Row>& batch, double clip) {
  std::vector<Row> seen;
  for (const Row& asks : batch) {
    std::vector<double> likeness;
    for (const Row& row : batch) likeness.push_back(Product(asks, row));
    const double most = *std::max_element(likeness.begin(), likeness.end());
    double total = 0.0;
    for (double& value : likeness) total += value = std::exp(value - most);
    Row mixed(asks.size());
    for (std::size_t i = 0; i < batch.size(); ++i) AddTo(mixed, Scaled(batch[i], likeness[i] / total));
    seen.push_back(mixed);
  }
  return SumOfClipped(seen, clip);
}

Row GradientOfACoupledLoss(const std::vector<Row>& batch, double clip) {
  // The loss of a row is its squared distance from the sum of the others.
  const Row sum = SumOf(batch);
  std::vector<Row> gradients;
  for (const Row& row : batch) gradients.push_back(Difference(Scaled(row, 2.0), sum));
  return SumOfClipped(gradients, clip);
}

Row ClippedAfterSummation(const std::vector<Row>& batch, double clip) {
  return ClippedTo(SumOf(batch), clip);
}

Row ClippedEachOnItsOwn(const std::vector<Row>& batch, double clip) {
  return SumOfClipped(batch, clip);
}

std::vector<Row> RevealingBatch() {
  std::vector<Row> batch(12, {1.0F, 0.5F});
  batch.push_back({-100.0F, 0.0F});
  batch.push_back({99.0F, 0.0F});
  return batch;
}

double SpreadDeviation(const std::vector<std::size_t>& sizes, std::size_t units, double rate) {
  const double mean = static_cast<double>(units) * rate;
  const double variance = mean * (1.0 - rate);
  double squares = 0.0;
  for (const std::size_t size : sizes) squares += std::pow(static_cast<double>(size) - mean, 2) / variance;
  const double count = static_cast<double>(sizes.size());
  return std::fabs(squares - count) / std::sqrt(2.0 * count);
}

std::vector<std::size_t> ShuffledBatchSizes(std::size_t units, double rate, std::size_t batches) {
  PublicRandom random(1, "honesty.shuffle");
  const std::vector<std::uint32_t> order = random.Permutation(static_cast<std::uint32_t>(units));
  const auto size = static_cast<std::size_t>(static_cast<double>(units) * rate);
  std::vector<std::size_t> sizes;
  for (std::size_t i = 0; i < batches; ++i) {
    const std::size_t begin = i * size % units;
    sizes.push_back(std::min(size, order.size() - begin));
  }
  return sizes;
}

Schema SchemaWithBoundsOf(const std::vector<double>& numbers) {
  Column age;
  age.name = "age";
  age.type = ColumnType::kInteger;
  age.minimum = *std::min_element(numbers.begin(), numbers.end());
  age.maximum = *std::max_element(numbers.begin(), numbers.end());
  return Schema::Create("ward", {age}).value();
}

Plan WithShares(const Plan& plan, const std::function<std::uint64_t(const PlanEntry&)>& variance) {
  std::vector<PlanEntry> entries = plan.entries();
  for (PlanEntry& entry : entries) entry.site_variance = variance(entry);
  return Plan::Create(plan.facts(), std::move(entries)).value();
}

}  // namespace synod::honesty
