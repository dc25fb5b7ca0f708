// Small federations in one process, from rows to a generator.
#pragma once

#include <memory>

#include "models/module/compute_module.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::testing {

// The compute module of this test's own program.
Result<ComputeModule*> LoadHere();

// The rows dealt out to the sites of the request; a schema with subjects makes them the units. The certificate and
// everything else of a run is made and thrown away.
Result<std::unique_ptr<Generator>> TryTrain(const RunRequest& request, const Table& table);
std::unique_ptr<Generator> Train(const RunRequest& request, const Table& table);

// Table::Create inside the generator checks every cell against the schema.
Table Draw(const Generator& generator, std::size_t rows);

// Two columns that nearly always agree, and a number that is high where they are.
std::shared_ptr<const Schema> DependentSchema();
Table DependentTable(const std::shared_ptr<const Schema>& schema, std::size_t rows);
double ShareOfAgreement(const Table& table);

}  // namespace synod::testing
