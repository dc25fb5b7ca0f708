#include "tools/synod/generator_files.h"

#include "models/family_table.h"
#include "models/module/compute_module.h"
#include "tools/synod/commands.h"

namespace synod {

Result<std::unique_ptr<Generator>> GeneratorOf(const GeneratorFile& file) {
  GeneratorModel model;
  model.family = file.content().family;
  model.options = file.content().options;
  model.state = file.content().state;
  model.parameters = file.content().parameters;
  return OpenGenerator(std::make_shared<const Schema>(file.content().schema), model, [] {
    return LoadComputeModule({ThreadsOrAll(0), "auto"});
  });
}

}  // namespace synod
