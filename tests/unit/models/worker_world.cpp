#include "tests/unit/models/worker_world.h"

#include <fmt/format.h>

#include "common/core/file.h"
#include "common/query/public_random.h"
#include "tests/support/shared_data.h"

namespace synod::testing {

std::string WardSpecification(const std::string& model, double epsilon, const std::string& aggregation) {
  return fmt::format(
      "[run]\nname = \"wards\"\nseed = 5\nsites = 3\naggregation = \"{}\"\n[schema]\nfile = "
      "\"schema.toml\"\n[model]\n{}"
      "[privacy]\nepsilon = {}\ndelta = 1e-4\nunits = 900\n",
      aggregation, model, epsilon);
}

std::string WardSchema() {
  return "name = \"wards\"\n"
         "[[column]]\nname = \"age\"\ntype = \"integer\"\nmin = 0\nmax = 110\n"
         "[[column]]\nname = \"ward\"\ntype = \"categorical\"\nvalues = [\"north\", \"south\", \"east\"]\n"
         "[[column]]\nname = \"dose\"\ntype = \"continuous\"\nmin = 0\nmax = 10\n";
}

std::vector<RosterSite> WardRoster() {
  return {{"site-a", Digest{1}}, {"site-b", Digest{2}}, {"site-c", Digest{3}}};
}

ResolveRequest WardResolve(const std::string& specification) {
  return {specification, WardSchema(), WardRoster()};
}

std::string WriteWardFile(std::size_t rows, std::uint64_t seed) {
  static constexpr const char* kWards[] = {"north", "south", "east"};
  PublicRandom random(seed, "test.wards");
  std::string text = "age,ward,dose\n";
  for (std::size_t row = 0; row < rows; ++row) {
    text += fmt::format("{},{},{:.3f}\n", random.IntegerBelow(111), kWards[random.IntegerBelow(3)],
                        random.Uniform() * 10.0);
  }
  text += fmt::format("{},north,1.0\n30,north,{}\n30,{},1.0\n", kSecretCell, kSecretCell, kSecretCell);
  std::string path = TemporaryFolder() + "/wards.csv";
  if (!WriteFileAtomically(path, AsBytes(text)).ok()) return "";
  return path;
}

}  // namespace synod::testing
