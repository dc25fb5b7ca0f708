#include "common/artefact/inspect.h"

#include "common/artefact/trusted_keys.h"
#include "common/artefact/verify.h"
#include "tools/synod/commands.h"

namespace synod {

Result<CommandOutput> RunInspect(const std::string& generator) {
  SYNOD_ASSIGN_OR_RETURN(const GeneratorFile file, GeneratorFile::Read(generator));
  CommandOutput output;
  output.data = Inspect(file);
  output.text = InspectText(file);
  return output;
}

Result<CommandOutput> RunVerify(const VerifyOptions& options) {
  SYNOD_ASSIGN_OR_RETURN(const GeneratorFile file, GeneratorFile::Read(options.generator));
  TrustedKeys keys;
  if (!options.trust.empty()) {
    SYNOD_ASSIGN_OR_RETURN(keys, TrustedKeys::FromFile(options.trust));
  }
  SYNOD_ASSIGN_OR_RETURN(const VerifyReport report, Verify(file, keys));
  CommandOutput output;
  output.data = report.ToJson();
  output.text = report.ToText();
  output.exit_code = report.ExitCode(options.allow_incomplete);
  return output;
}

}  // namespace synod
