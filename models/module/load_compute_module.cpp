#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <mutex>

#include "models/module/compute_module.h"

namespace synod {
namespace {

using MakeModule = ComputeModule* (*)(const ComputeSettings&, char* error, std::size_t error_bytes);

std::string ModulePath() {
  char program[PATH_MAX] = {};
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  const std::string path(program, length > 0 ? static_cast<std::size_t>(length) : 0);
  const std::string folder = path.substr(0, path.rfind('/'));
  return folder + "/../lib/libsynod_compute.so";
}

Result<ComputeModule*> Load(const ComputeSettings& settings) {
  // Read once by the OpenMP and BLAS runtimes when they are loaded: waiting threads sleep instead of spinning.
  setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/0);
  setenv("OPENBLAS_NUM_THREADS", "1", /*overwrite=*/0);  // threads run beside each other, none within a product
  const std::string path = ModulePath();
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Failed(fmt::format("cannot load the compute module: {}", dlerror()),
                  "install LibTorch (libtorch1.13 on Debian 12) and keep bin/ and lib/ of the build together");
  }
  const auto make = reinterpret_cast<MakeModule>(dlsym(library, "SynodMakeComputeModule"));
  if (make == nullptr) return Failed(fmt::format("{} is not a compute module of this program", path));
  char error[256] = {};
  ComputeModule* module = make(settings, error, sizeof error);
  if (module == nullptr) return BadInput(error);
  return module;
}

}  // namespace

Result<ComputeModule*> LoadComputeModule(const ComputeSettings& settings) {
  static std::mutex mutex;
  static ComputeModule* loaded = nullptr;
  const std::lock_guard lock(mutex);
  if (loaded != nullptr) return loaded;
  SYNOD_ASSIGN_OR_RETURN(loaded, Load(settings));
  return loaded;
}

}  // namespace synod
