// Schemas, tables and runs for the tests of the model families, and the reading of sums that only tests may do.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/data/schema.h"
#include "common/data/table.h"
#include "common/data/unit_table.h"
#include "common/query/keyed_blocks.h"
#include "common/query/public_random.h"
#include "common/query/sums.h"
#include "models/run_plan.h"
#include "models/table_diffusion/masked_batch.h"
#include "models/table_diffusion/options.h"
#include "models/tabular/public_grid.h"
#include "models/tabular/token_transform.h"

namespace synod::testing {

Column Number(const std::string& name, ColumnType type, double minimum, double maximum);
Column Categories(const std::string& name, std::size_t count);
std::shared_ptr<const Schema> SchemaOf(std::vector<Column> columns);

// A wide integer column with missing cells and an atom, a categorical one with missing cells, a binary and a
// continuous one; with `subjects` a subject column at the end.
std::shared_ptr<const Schema> MixedSchema(bool subjects = false);

// A value that the column allows: evenly drawn, a bound, an atom or missing.
double AllowedNumber(const Column& column, PublicRandom& random);

// Rows of allowed values. With a subject column: subjects of 1, 2, 3, ... up to `most_rows` rows, again and again.
Table RandomTable(const std::shared_ptr<const Schema>& schema, std::size_t rows, std::uint64_t seed,
                  std::size_t most_rows = 1);

// A resolved run, or the error of the family or of the plan.
struct RunRequest {
  std::shared_ptr<const Schema> schema;
  std::uint64_t units = 400;
  std::string model{};  // further lines of [model]
  double epsilon = 3.0;
  std::uint32_t sites = 1;
  std::string family = "table_diffusion";
  Aggregation aggregation = Aggregation::kCurator;
};
Result<ResolvedRun> TryResolve(const RunRequest& request);
ResolvedRun Resolve(const RunRequest& request);
Result<FamilyPlan> TryPlan(const RunRequest& request);

// What is in a sum: the grid is so fine and the noise, the same every time and taken off again, so exact that values
// come back within 2^-34.
std::vector<double> Reveal(ClippedSum&& sum, double clip);
double Norm(std::span<const double> vector);
double Distance(std::span<const double> a, std::span<const double> b);

// All of `units` in one block after the other of at most `units_per_block`.
BlockedBatch Blocks(std::vector<std::uint32_t> units, std::uint32_t units_per_block);

// A word for each unit where its draws under `query` begin.
std::vector<std::uint64_t> StreamsOf(const std::vector<std::uint32_t>& units, std::uint64_t query);

// Everything that a batcher or sampler of the masked variant needs, over random rows of MixedSchema.
struct MaskedWorld {
  explicit MaskedWorld(std::size_t most_rows = 1, std::size_t rows = 60);
  MaskedWorld(const MaskedWorld&) = delete;
  MaskedWorld& operator=(const MaskedWorld&) = delete;

  std::shared_ptr<const Schema> schema;
  std::shared_ptr<const Table> table;
  UnitTable units;
  table_diffusion::Options options;
  std::vector<tabular::PublicGrid> grids;
  std::vector<std::vector<std::uint16_t>> cells;
  std::vector<float> histogram;
  tabular::TokenTransform transform;
  table_diffusion::MaskedShape shape;
  table_diffusion::MaskedBatcher batcher;
};

}  // namespace synod::testing
