#include "tests/unit/families/small_federation.h"

#include <gtest/gtest.h>

#include "common/data/load_table.h"
#include "models/family_table.h"
#include "models/module/torch_families.h"
#include "tests/support/seeded_streams.h"
#include "tools/simulation/simulated_federation.h"

namespace synod::testing {
namespace {

class ComputeHere final : public ComputeModule {
 public:
  Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                         SecretRandom random) override {
    return MakeTorchContribution(run, std::move(units), std::move(random));
  }
  Result<std::unique_ptr<Generator>> OpenGenerator(std::shared_ptr<const Schema> schema,
                                                   const GeneratorModel& model) override {
    return OpenTorchGenerator(std::move(schema), model);
  }
  std::string Description() const override { return "the test's own"; }
};

}  // namespace

Result<ComputeModule*> LoadHere() {
  static ComputeHere compute;
  return &compute;
}

Result<std::unique_ptr<Generator>> TryTrain(const RunRequest& request, const Table& table) {
  SYNOD_ASSIGN_OR_RETURN(const ResolvedRun resolved, TryResolve(request));
  std::vector<std::shared_ptr<const UnitTable>> sites;
  for (Table& part : SplitByPosition(table, request.sites)) {
    const auto shared = std::make_shared<const Table>(std::move(part));
    const bool subjects = request.schema->subject() >= 0;
    sites.push_back(std::make_shared<const UnitTable>(subjects ? UnitTable::Subjects(shared, 3).value()
                                                               : UnitTable::Records(shared)));
  }
  const SystemClock clock;
  SimulationPorts ports{&LoadHere, clock};
  ports.streams = [](std::size_t site) { return std::make_unique<SeededStreams>(100, "site-" + std::to_string(site)); };
  SYNOD_ASSIGN_OR_RETURN(const GeneratorFile file, SimulateFederation(resolved, sites, ports));
  const GeneratorContent& content = file.content();
  return OpenGenerator(
      request.schema, {content.family, content.options, content.state, resolved.layout, content.parameters}, &LoadHere);
}

std::unique_ptr<Generator> Train(const RunRequest& request, const Table& table) {
  Result<std::unique_ptr<Generator>> trained = TryTrain(request, table);
  EXPECT_TRUE(trained.ok()) << (trained.ok() ? "" : trained.error().message);
  return std::move(trained).value();
}

Table Draw(const Generator& generator, std::size_t rows) {
  Result<Table> drawn = generator.Block(3, 0, rows, {});
  EXPECT_TRUE(drawn.ok()) << (drawn.ok() ? "" : drawn.error().message);
  return std::move(drawn).value();
}

std::shared_ptr<const Schema> DependentSchema() {
  return SchemaOf({Categories("a", 4), Categories("b", 4), Number("x", ColumnType::kInteger, 0, 99)});
}

Table DependentTable(const std::shared_ptr<const Schema>& schema, std::size_t rows) {
  PublicRandom random(81, "dependent");
  std::vector<ColumnCells> cells(3);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto a = static_cast<std::uint16_t>(random.IntegerBelow(4));
    const bool differs = random.IntegerBelow(20) == 0;
    cells[0].codes.push_back(a);
    cells[1].codes.push_back(differs ? static_cast<std::uint16_t>(random.IntegerBelow(4)) : a);
    cells[2].numbers.push_back(25.0 * a + static_cast<double>(random.IntegerBelow(25)));
  }
  return Table::Create(schema, std::move(cells), rows).value();
}

double ShareOfAgreement(const Table& table) {
  double agreeing = 0.0;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    agreeing += table.column(0).codes[row] == table.column(1).codes[row] ? 1.0 : 0.0;
  }
  return agreeing / static_cast<double>(table.rows());
}

}  // namespace synod::testing
