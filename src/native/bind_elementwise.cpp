// Opens the elementwise activations to Python. Tensors come as addresses, which is quicker than
// any exchange of arrays, and the only way for bfloat16: the Python side checks them.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string_view.h>

#include <cstdint>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

#include "apply.hpp"
#include "bindings.hpp"
#include "elementwise.hpp"

namespace nb = nanobind;

namespace hinge {
namespace {

// Below it giving Python's lock away and taking it back costs more than it gives.
constexpr std::int64_t kLong = 4096;

// The names of the types, in the order of `Type`.
constexpr const char* kTypeNames[] = {"float32", "bfloat16", "float16"};
constexpr int kTypes = std::size(kTypeNames);

using Address = std::uintptr_t;

void* at(Address address) { return reinterpret_cast<void*>(address); }

nb::tuple words(const char* text) {
  nb::list found;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) found.append(word.c_str());
  return nb::tuple(found);
}

// One call: the run, and a kernel with its parameters. Lets other Python threads run.
class Call {
 public:
  Call(int kernel, nb::handle parameters, int type, std::int64_t size, int threads,
       std::string_view level)
      : run_(run_of(type, size, threads, level)) {
    if (kernel < 0 || kernel >= run_.offered.size) throw std::invalid_argument("no such kernel");
    kernel_ = &run_.offered.kernels[kernel];
    std::size_t count = 0;
    for (nb::handle parameter : parameters) {
      if (count == kParameters) throw std::invalid_argument("too many parameters");
      const double value = nb::cast<double>(parameter);
      parameters_[count++] = kernel_->at_kinks ? rounded(run_, value) : value;
    }
    if (size >= kLong) others_may_run_.emplace();
  }

  static Run run_of(int type, std::int64_t size, int threads, std::string_view level) {
    if (type < 0 || type >= kTypes) throw std::invalid_argument("no such type");
    const Level best = level.empty() ? levels().front() : chosen(level);
    return {HINGE_AT(best, elementwise()), static_cast<Type>(type), size, threads};
  }

  const Run& run() const { return run_; }
  const Kernel& kernel() const { return *kernel_; }
  const double* parameters() const { return parameters_; }

 private:
  Run run_;
  const Kernel* kernel_;
  double parameters_[kParameters] = {};
  std::optional<nb::gil_scoped_release> others_may_run_;
};

void forward(int kernel, Address x, Address y, std::int64_t size, int type, nb::tuple parameters,
             int threads, std::string_view level) {
  const Call call(kernel, parameters, type, size, threads, level);
  map(call.run(), call.kernel().value, call.parameters(), at(x), at(y));
}

void forward_with_bits(int kernel, Address x, Address y, Address bits, std::int64_t size, int type,
                       nb::tuple parameters, int threads, std::string_view level) {
  const Call call(kernel, parameters, type, size, threads, level);
  if (!call.kernel().mark) throw std::invalid_argument("this kernel keeps no bits");
  map_and_mark(call.run(), call.kernel(), call.parameters(), at(x), at(y), at(bits));
}

void backward(int kernel, Address gradient, Address kept, Address out, std::int64_t size, int type,
              nb::tuple parameters, int threads, std::string_view level) {
  const Call call(kernel, parameters, type, size, threads, level);
  if (call.kernel().unmark)
    unmark(call.run(), call.kernel().unmark, call.parameters(), at(gradient), at(kept),
           at(out));
  else
    pull(call.run(), call.kernel().pull, call.parameters(), at(gradient), at(kept),
         at(out));
}

void derivative(int kernel, Address x, Address y, std::int64_t size, int type,
                nb::tuple parameters, int threads, std::string_view level) {
  const Call call(kernel, parameters, type, size, threads, level);
  map(call.run(), call.kernel().slope, call.parameters(), at(x), at(y));
}

bool all_within(Address x, std::int64_t size, int type, double low, double high,
                std::string_view level) {
  return within(Call::run_of(type, size, 1, level), at(x), low, high);
}

}  // namespace

void bind_elementwise(nb::module_& module) {
  const Elementwise& offered = Call::run_of(0, 0, 1, "").offered;
  nb::list kernels;
  for (int i = 0; i < offered.size; ++i) {
    const Kernel& kernel = offered.kernels[i];
    kernels.append(nb::make_tuple(kernel.name, name_of(kernel.keeps), words(kernel.parameters)));
  }
  module.attr("elementwise") = nb::tuple(kernels);
  nb::list types;
  for (const char* name : kTypeNames) types.append(name);
  module.attr("types") = nb::tuple(types);

  module.def("forward", &forward, nb::arg("kernel"), nb::arg("x"), nb::arg("y"), nb::arg("size"),
             nb::arg("dtype"), nb::arg("parameters"), nb::arg("threads") = 1,
             nb::arg("level") = "");
  module.def("forward_with_bits", &forward_with_bits, nb::arg("kernel"), nb::arg("x"),
             nb::arg("y"), nb::arg("bits"), nb::arg("size"), nb::arg("dtype"),
             nb::arg("parameters"), nb::arg("threads") = 1, nb::arg("level") = "");
  module.def("backward", &backward, nb::arg("kernel"), nb::arg("gradient"), nb::arg("kept"),
             nb::arg("out"), nb::arg("size"), nb::arg("dtype"), nb::arg("parameters"),
             nb::arg("threads") = 1, nb::arg("level") = "");
  module.def("derivative", &derivative, nb::arg("kernel"), nb::arg("x"), nb::arg("y"),
             nb::arg("size"), nb::arg("dtype"), nb::arg("parameters"), nb::arg("threads") = 1,
             nb::arg("level") = "");
  module.def("within", &all_within, nb::arg("x"), nb::arg("size"), nb::arg("dtype"),
             nb::arg("low"), nb::arg("high"), nb::arg("level") = "");
}

}  // namespace hinge
