#include "tests/unit/models/model_fixture.h"

#include <fmt/format.h>

#include <cmath>

#include "common/query/clipped_summer.h"
#include "common/query/grid.h"
#include "common/query/noise_share.h"
#include "common/query/sum_accumulator.h"
#include "models/family_table.h"
#include "models/tabular/histogram_sum.h"
#include "models/tabular/mixing_stream.h"
#include "tests/support/deterministic_random.h"

namespace synod::testing {
namespace {

table_diffusion::Options SmallOptions() {
  table_diffusion::Options options;
  options.hidden = 8;
  options.tokens = 6;
  options.levels_per_row = 4;
  options.time_embedding = 4;
  return options;
}

UnitTable UnitsOf(const std::shared_ptr<const Table>& table, std::size_t most_rows) {
  return most_rows == 1 ? UnitTable::Records(table)
                        : UnitTable::Subjects(table, static_cast<std::uint32_t>(most_rows)).value();
}

std::vector<float> CountsOf(const std::vector<tabular::PublicGrid>& grids,
                            const std::vector<std::vector<std::uint16_t>>& cells) {
  std::vector<float> counts;
  for (std::size_t j = 0; j < grids.size(); ++j) {
    std::vector<float> own(grids[j].cells());
    for (const std::uint16_t cell : cells[j]) own[cell] += 1.0F;
    counts.insert(counts.end(), own.begin(), own.end());
  }
  return counts;
}

NoisySum WithTheSameNoise(ClippedSum&& sum, const Grid& grid) {
  SecretRandom noise = SecretRandomForTestsOnly::FromSeed(99);
  SumAccumulator total(grid, WordBits::k64);
  total.Add(NoiseShare::Make(grid, 64, 1).value().Add(grid.Encode(std::move(sum)), noise));
  return std::move(total).Finish();
}

Result<RunSpecification> SpecificationOf(const RunRequest& request) {
  const std::string text = fmt::format(
      "[run]\nname = \"test\"\nseed = 1\nsites = {}\n[schema]\nfile = \"s.toml\"\n[model]\nfamily = "
      "\"{}\"\n{}\n[privacy]\nepsilon = {}\ndelta = 1e-5\nunits = {}\n{}",
      request.sites, request.family, request.model, request.epsilon, request.units,
      request.schema->subject() >= 0 ? "unit = \"who\"\nmax_rows_per_subject = 3\n" : "");
  return RunSpecification::FromToml(text, "test.toml");
}

}  // namespace

Column Number(const std::string& name, ColumnType type, double minimum, double maximum) {
  Column column;
  column.name = name;
  column.type = type;
  column.minimum = minimum;
  column.maximum = maximum;
  return column;
}

Column Categories(const std::string& name, std::size_t count) {
  Column column;
  column.name = name;
  column.type = count == 2 ? ColumnType::kBinary : ColumnType::kCategorical;
  for (std::size_t i = 0; i < count; ++i) column.values.push_back(fmt::format("v{}", i));
  return column;
}

std::shared_ptr<const Schema> SchemaOf(std::vector<Column> columns) {
  return std::make_shared<const Schema>(Schema::Create("test", std::move(columns)).value());
}

std::shared_ptr<const Schema> MixedSchema(bool subjects) {
  Column wide = Number("wide", ColumnType::kInteger, 0, 1000);
  wide.missing_allowed = true;
  wide.special_values = {0, 250};
  Column kind = Categories("kind", 3);
  kind.missing_allowed = true;
  Column level = Number("level", ColumnType::kContinuous, -5, 5);
  level.decimals = 2;
  std::vector<Column> columns = {wide, kind, Categories("flag", 2), level};
  if (subjects) {
    Column who;
    who.name = "who";
    who.type = ColumnType::kCategorical;
    who.role = ColumnRole::kSubject;
    columns.push_back(who);
  }
  return SchemaOf(std::move(columns));
}

double AllowedNumber(const Column& column, PublicRandom& random) {
  const std::uint64_t choice = random.IntegerBelow(10);
  if (choice == 0) return column.minimum;
  if (choice == 1) return column.maximum;
  if (choice == 2 && !column.special_values.empty())
    return column.special_values[random.IntegerBelow(column.special_values.size())];
  if (choice == 3 && column.missing_allowed) return std::nan("");
  const double number = column.minimum + random.Uniform() * (column.maximum - column.minimum);
  if (column.type != ColumnType::kContinuous) return std::floor(number);
  if (column.decimals < 0) return number;
  const double scale = std::pow(10.0, column.decimals);
  return std::clamp(std::round(number * scale) / scale, column.minimum, column.maximum);
}

Table RandomTable(const std::shared_ptr<const Schema>& schema, std::size_t rows, std::uint64_t seed,
                  std::size_t most_rows) {
  PublicRandom random(seed, "test.table");
  std::vector<ColumnCells> cells(schema->columns().size());
  for (std::size_t j = 0; j < cells.size(); ++j) {
    const Column& column = schema->columns()[j];
    if (!column.is_modelled()) continue;
    for (std::size_t row = 0; row < rows; ++row) {
      if (column.is_numeric()) {
        cells[j].numbers.push_back(AllowedNumber(column, random));
      } else {
        const std::size_t codes = column.values.size() + (column.missing_allowed ? 1 : 0);
        cells[j].codes.push_back(static_cast<std::uint16_t>(random.IntegerBelow(codes)));
      }
    }
  }
  std::vector<std::uint64_t> subjects;
  for (std::uint64_t subject = 1; schema->subject() >= 0 && subjects.size() < rows; ++subject) {
    for (std::size_t i = 0; i <= subject % most_rows && subjects.size() < rows; ++i) subjects.push_back(subject);
  }
  return Table::Create(schema, std::move(cells), rows, std::move(subjects)).value();
}

Result<FamilyPlan> TryPlan(const RunRequest& request) {
  SYNOD_ASSIGN_OR_RETURN(const RunSpecification specification, SpecificationOf(request));
  return PlanFamily(specification, *request.schema);
}

Result<ResolvedRun> TryResolve(const RunRequest& request) {
  SYNOD_ASSIGN_OR_RETURN(const RunSpecification specification, SpecificationOf(request));
  return ResolveRun(specification, request.schema, request.aggregation);
}

ResolvedRun Resolve(const RunRequest& request) {
  Result<ResolvedRun> resolved = TryResolve(request);
  if (!resolved.ok()) fmt::print(stderr, "{}\n", resolved.error().message);
  return std::move(resolved).value();
}

std::vector<double> Reveal(ClippedSum&& sum, double clip) {
  const std::size_t dimension = sum.dimension();
  const Grid grid = Grid::Make(0x1p34, clip, dimension).value();
  const NoisySum own = WithTheSameNoise(std::move(sum), grid);
  const NoisySum nothing = WithTheSameNoise(ClippedSummer(dimension, clip).Finish(), grid);
  std::vector<double> values(own.values().begin(), own.values().end());
  for (std::size_t i = 0; i < dimension; ++i) values[i] -= nothing.values()[i];
  return values;
}

double Norm(std::span<const double> vector) {
  double squares = 0.0;
  for (const double value : vector) squares += value * value;
  return std::sqrt(squares);
}

double Distance(std::span<const double> a, std::span<const double> b) {
  std::vector<double> difference(a.begin(), a.end());
  for (std::size_t i = 0; i < b.size(); ++i) difference[i] -= b[i];
  return Norm(difference);
}

BlockedBatch Blocks(std::vector<std::uint32_t> units, std::uint32_t units_per_block) {
  BlockedBatch batch;
  batch.units = std::move(units);
  for (std::size_t end = 0; end < batch.units.size();) {
    end = std::min<std::size_t>(end + units_per_block, batch.units.size());
    batch.block_ends.push_back(static_cast<std::uint32_t>(end));
  }
  return batch;
}

std::vector<std::uint64_t> StreamsOf(const std::vector<std::uint32_t>& units, std::uint64_t query) {
  std::vector<std::uint64_t> streams;
  for (const std::uint32_t unit : units) streams.push_back(tabular::MixingStream::ForUnit(query, unit).Next());
  return streams;
}

MaskedWorld::MaskedWorld(std::size_t most_rows, std::size_t rows)
    : schema(MixedSchema(most_rows > 1)),
      table(std::make_shared<const Table>(RandomTable(schema, rows, 5, most_rows))),
      units(UnitsOf(table, most_rows)),
      options(SmallOptions()),
      grids(tabular::GridsOf(*schema)),
      cells(tabular::CellsOf(*table, grids)),
      histogram(CountsOf(grids, cells)),
      transform(tabular::TokenTransform::FromHistogram(grids, histogram, 0.5, {options.tokens})),
      shape(grids, options),
      batcher(shape, options, transform, cells, units) {}

}  // namespace synod::testing
