// A text of a person: as a schema and as a run file. A schema that is taken comes back from its canonical form.
#include "common/config/run_specification.h"
#include "common/data/schema.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(synod::Schema::FromToml(text, "fuzzed.toml"));
  static_cast<void>(synod::RunSpecification::FromToml(text, "fuzzed.toml"));
  return 0;
}
