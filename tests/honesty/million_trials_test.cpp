// One unit more or less, the same randomness everywhere else: the integers before noise never move by more than the
// Delta that is charged. 1.1 million trials here, counted below, 20,000 in subject_level_test.cpp and 5,000 in
// network_test.cpp; each is one pair of neighbouring data sets.
//
// 1,001,000 trials of the ladder (ClippedSummer, Grid, decode) with vectors of ten kinds, in lanes beside each other;
// 76,800 of keyed blocks around their bound of 256 units; 30,000 of the product's own histogram sums.
//
// Lanes: rounding is coordinate by coordinate, so that K independent trials of d coordinates share one sum of K d; each
// lane is held against the Delta of d coordinates.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "common/privacy/noise_arithmetic.h"
#include "common/query/clipped_summer.h"
#include "common/query/keyed_blocks.h"
#include "common/query/public_random.h"
#include "common/query/side_coordinates.h"
#include "models/tabular/histogram_sum.h"
#include "tests/honesty/integers.h"
#include "tests/support/deterministic_random.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::honesty {
namespace {

constexpr double kClip = 1.0;

// The grid of K lanes: gamma and rounding of one lane's plan, a clip that lets all lanes be full at once.
Grid LaneGrid(std::size_t lanes, std::size_t width) {
  const double clip = kClip * std::sqrt(static_cast<double>(lanes)) * 1.0001;
  return Grid::Make(ChooseGamma(kClip, width), clip, lanes * width).value();
}

// The largest move of any lane relative to its Delta.
double WorstLane(std::span<const double> a, std::span<const double> b, std::size_t width, double gamma) {
  const double delta = SensitivityOnGrid(gamma, kClip, width);
  double worst = 0.0;
  for (std::size_t lane = 0; lane < a.size(); lane += width) {
    worst = std::max(worst, Moved(a.subspan(lane, width), b.subspan(lane, width)) / delta);
  }
  return worst;
}

// ---- What one unit may have in one lane. Raw vectors go through the rules that the engine keeps: clipped to C, zero
// where anything is not finite.

class VectorKinds {
 public:
  static constexpr std::uint64_t kCount = 10;

  VectorKinds(PublicRandom& random, std::size_t width, double gamma)
      : random_(random),
        width_(width),
        gamma_(gamma),
        side_(SideCoordinates::Make(kClip, {0.05F, 0.05F, 0.05F, 2.0F}).value()) {}

  Row Draw(std::uint64_t kind) {
    switch (kind) {
      case 0:
        return Clipped(Normals(1.0));
      case 1:
        return Clipped(Row(width_, 1.0F));
      case 2:
        return WeightedOneHots();
      case 3:
        return WithSideCoordinates();
      case 4:
        return Clipped(Normals(1e19));
      case 5:
        return Clipped(Normals(std::pow(10.0, -static_cast<double>(random_.IntegerBelow(44)))));
      case 6:
        return Clipped(Row(width_, HalfAGridUnit()));
      case 7:
        return Clipped(Row(width_, random_.IntegerBelow(2) == 0 ? 1e6F : -1e6F));
      case 8:
        return MeanOfRows();
      default:
        return Clipped(Poisoned());
    }
  }

 private:
  Row Normals(double size) {
    Row row(width_);
    for (float& value : row) value = static_cast<float>(size * random_.Normal());
    return row;
  }

  static Row Clipped(Row row) {
    const double norm = Norm(row);
    return std::isfinite(norm) ? ClippedTo(std::move(row), kClip) : Row(row.size());
  }

  // Columns of two cells with weights whose squares add up to C^2: a weight in one cell of each column.
  Row WeightedOneHots() {
    Row row(width_);
    const std::size_t columns = std::max<std::size_t>(1, width_ / 2);
    std::vector<double> weights(columns);
    for (double& weight : weights) weight = 0.01 + random_.Uniform();
    const double norm = std::sqrt(std::inner_product(weights.begin(), weights.end(), weights.begin(), 0.0));
    for (std::size_t j = 0; j < columns; ++j) {
      const std::size_t cell = std::min<std::size_t>(2 * j + random_.IntegerBelow(2), width_ - 1);
      row[cell] = static_cast<float>(weights[j] / norm);
    }
    return row;
  }

  // The gradient at its own clip, and the loss, indicator and count of the product's code behind it.
  Row WithSideCoordinates() {
    constexpr std::size_t kSide = SideCoordinates::kCount;
    if (width_ <= kSide) return Clipped(Normals(1.0));
    Row row = ClippedTo(Normals(10.0), side_.gradient_clip());
    Row gradient(row.begin(), row.end() - kSide);
    gradient = ClippedTo(std::move(gradient), side_.gradient_clip());
    constexpr float kLosses[] = {0.0F, 1.0F, 2.0F, 1e30F, -1e30F, INFINITY, NAN};
    const auto side = side_.Encode(kLosses[random_.IntegerBelow(std::size(kLosses))], random_.IntegerBelow(2) == 0);
    std::copy(gradient.begin(), gradient.end(), row.begin());
    std::copy(side.begin(), side.end(), row.end() - kSide);
    return row;
  }

  // (m + 1/2) / gamma, or the next number below or above: the coordinate sits on a rounding boundary.
  float HalfAGridUnit() {
    const double scaled = static_cast<double>(random_.IntegerBelow(200)) + 0.5;
    const auto value = static_cast<float>(scaled / gamma_);
    const float towards[] = {value, -INFINITY, INFINITY};
    return std::nextafter(value, towards[random_.IntegerBelow(3)]);
  }

  // The rows of a subject: clipped one by one, their mean.
  Row MeanOfRows() {
    const std::uint64_t rows = 1 + random_.IntegerBelow(6);
    Row mean(width_);
    for (std::uint64_t i = 0; i < rows; ++i) AddTo(mean, Clipped(Normals(3.0)));
    return Clipped(Scaled(std::move(mean), 1.0 / static_cast<double>(rows)));
  }

  Row Poisoned() {
    Row row = Normals(1.0);
    constexpr float kPoison[] = {NAN, INFINITY, -INFINITY, 3e38F};
    row[random_.IntegerBelow(width_)] = kPoison[random_.IntegerBelow(std::size(kPoison))];
    return row;
  }

  PublicRandom& random_;
  std::size_t width_;
  double gamma_;
  SideCoordinates side_;
};

TEST(MillionTrials, OfTheLadderNeverMoveByMoreThanDelta) {
  constexpr std::size_t kLanes = 1000;
  constexpr std::size_t kUnits = 7;
  constexpr std::size_t kRounds = 143;
  constexpr std::size_t kWidths[] = {1, 2, 4, 5, 9};
  std::size_t trials = 0;
  double worst = 0.0;
  for (std::size_t round = 0; round < kRounds; ++round) {
    const std::size_t width = kWidths[round % std::size(kWidths)];
    PublicRandom random(round, "honesty.lanes");
    const IntegerReader reader(LaneGrid(kLanes, width));
    VectorKinds kinds(random, width, reader.grid().gamma());
    std::vector<Row> units(kUnits);
    for (Row& unit : units) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const Row own = kinds.Draw(random.IntegerBelow(VectorKinds::kCount));
        unit.insert(unit.end(), own.begin(), own.end());
      }
    }
    const std::vector<double> all = reader.ReadRows(units);
    for (std::size_t removed = 0; removed < kUnits; ++removed) {
      std::vector<Row> fewer = units;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(removed));
      worst = std::max(worst, WorstLane(all, reader.ReadRows(fewer), width, reader.grid().gamma()));
      trials += kLanes;
    }
    ASSERT_LE(worst, 1.0) << "round " << round;
  }
  EXPECT_EQ(trials, 1'001'000U);
  EXPECT_GT(worst, 0.97) << "the trials come close to the bound";
}

// ---- Blocks at their bound, with rows that all round the same way.

TEST(MillionTrials, OfBlocksAroundTheirBoundNeverMoveByMoreThanDelta) {
  constexpr std::size_t kLanes = 128;
  constexpr std::size_t kWidth = 2;
  std::size_t trials = 0;
  double worst = 0.0;
  const IntegerReader reader(LaneGrid(kLanes, kWidth));
  const auto answer = [&](const KeyedBlocks& blocks, const std::vector<Row>& rows, std::vector<std::uint32_t> drawn) {
    const BlockedBatch batch = blocks.Group(drawn, 1, kMostRowsPerBlock);
    ClippedSummer summer(reader.grid().dimension(), reader.grid().clip());
    for (std::size_t block = 0; block < batch.block_count(); ++block) {
      Row sum(reader.grid().dimension());
      for (const std::uint32_t unit : batch.block(block)) AddTo(sum, rows[unit]);
      summer.AddBlock(sum, static_cast<std::uint32_t>(batch.block(block).size()));
    }
    return reader.Read(std::move(summer).Finish());
  };
  for (const std::uint32_t size : {255U, 256U, 257U, 511U, 513U}) {
    for (std::uint64_t seed = 0; seed < 2; ++seed) {
      PublicRandom random(seed, "honesty.blocks", size);
      std::vector<Row> rows(size, Row(kLanes * kWidth));
      for (Row& row : rows) {
        for (std::size_t lane = 0; lane < row.size(); lane += kWidth) {
          Row own(kWidth, 1.0F);
          if (seed == 1) own[1] = static_cast<float>(random.Uniform());
          own = ClippedTo(std::move(own), kClip * (seed == 1 ? 1.0 - 1e-6 * random.Uniform() : 1.0));
          std::copy(own.begin(), own.end(), row.begin() + static_cast<std::ptrdiff_t>(lane));
        }
      }
      std::vector<std::uint64_t> ids(size);
      std::iota(ids.begin(), ids.end(), 0);
      SecretRandom key = SecretRandomForTestsOnly::FromSeed(seed);
      const KeyedBlocks blocks(ids, key);
      std::vector<std::uint32_t> drawn(size);
      std::iota(drawn.begin(), drawn.end(), 0);
      const std::vector<double> all = answer(blocks, rows, drawn);
      for (std::uint32_t removal = 0; removal < 60; ++removal) {
        std::vector<std::uint32_t> fewer = drawn;
        fewer.erase(fewer.begin() + (removal * 37) % size);
        worst = std::max(worst, WorstLane(all, answer(blocks, rows, fewer), kWidth, reader.grid().gamma()));
        trials += kLanes;
      }
    }
    ASSERT_LE(worst, 1.0) << size << " units";
  }
  EXPECT_EQ(trials, 76'800U);
  EXPECT_GT(worst, 0.97);
}

// ---- The product's histogram sums: k columns, clipped by the product's own code.

struct HistogramTrials {
  std::size_t trials = 0;
  double worst = 0.0;
};

// One table after the other; each of its records is removed in turn.
HistogramTrials RemoveEachRecord(const std::shared_ptr<const Schema>& schema, double clip, std::size_t tables) {
  HistogramTrials result;
  const auto grids = tabular::GridsOf(*schema);
  const IntegerReader reader(PlanGrid(clip, tabular::HistogramSize(grids)));
  constexpr std::size_t kRows = 20;
  for (std::uint64_t seed = 0; seed < tables; ++seed) {
    const auto table = std::make_shared<const Table>(testing::RandomTable(schema, kRows, seed));
    const UnitTable units = UnitTable::Records(table);
    const auto cells = tabular::CellsOf(*table, grids);
    const auto integers = [&](const std::vector<std::uint32_t>& drawn) {
      const BlockedBatch batch = testing::Blocks(drawn, kMostRowsPerBlock);
      return reader.Read(tabular::HistogramSum(grids, cells, units, batch, clip));
    };
    std::vector<std::uint32_t> everybody(kRows);
    std::iota(everybody.begin(), everybody.end(), 0);
    const std::vector<double> all = integers(everybody);
    for (std::uint32_t removed = 0; removed < kRows; ++removed) {
      std::vector<std::uint32_t> fewer = everybody;
      fewer.erase(fewer.begin() + removed);
      result.worst = std::max(result.worst, Moved(all, integers(fewer)) / reader.grid().sensitivity());
      ++result.trials;
    }
  }
  return result;
}

TEST(MillionTrials, OfHistogramsOfKColumnsNeverMoveByMoreThanDelta) {
  std::size_t trials = 0;
  double worst = 0.0;
  std::vector<Column> columns;
  for (std::size_t k = 1; k <= 5; ++k) {
    columns.push_back(testing::Categories("c" + std::to_string(k), k + 1));
    columns.back().missing_allowed = k % 2 == 0;
    const auto schema = testing::SchemaOf(columns);
    for (const double clip : {std::sqrt(static_cast<double>(k)), 0.3}) {  // as the plan has it, and one that binds
      const HistogramTrials result = RemoveEachRecord(schema, clip, 100);
      trials += result.trials;
      worst = std::max(worst, result.worst);
    }
  }
  const HistogramTrials mixed = RemoveEachRecord(testing::MixedSchema(), 2.0, 500);  // missing cells, atoms, bounds
  trials += mixed.trials;
  worst = std::max(worst, mixed.worst);
  EXPECT_EQ(trials, 30'000U);
  EXPECT_LE(worst, 1.0);
  EXPECT_GT(worst, 0.97);
}

}  // namespace
}  // namespace synod::honesty
