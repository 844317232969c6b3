// Parsing op signatures.
#include "ops/schema.h"

#include <cctype>
#include <limits>

namespace kagari {
namespace {

struct TypeName {
    const char* text;
    ParamType type;
};
constexpr TypeName kTypes[] = {
    {"Tensor?[]", ParamType::OptionalTensors},
    {"Tensor[]", ParamType::Tensors},
    {"Tensor", ParamType::Tensor},
    {"int[]", ParamType::Ints},
    {"int", ParamType::Int},
    {"float[]", ParamType::Floats},
    {"float", ParamType::Float},
    {"bool", ParamType::Bool},
    {"str", ParamType::Str},
    {"Scalar[]", ParamType::Scalars},
    {"Scalar", ParamType::Scalar},
    {"Operand", ParamType::Operand},
    {"dtype", ParamType::DType},
    {"device", ParamType::Device},
    {"Generator", ParamType::Generator},
};

class Parser {
  public:
    explicit Parser(const std::string& text) : text_(text) {}

    Schema parse() {
        Schema s;
        s.text = text_;
        s.name = word();
        expect('(');
        bool keyword_only = false;
        while (!accept(')')) {
            if (accept('*'))
                keyword_only = true;
            else
                s.params.push_back(param(keyword_only));
            accept(',');
        }
        if (accept('-')) {
            expect('>');
            results(s);
        }
        return s;
    }

  private:
    Param param(bool keyword_only) {
        Param p;
        p.keyword_only = keyword_only;
        bool found = false;
        for (const TypeName& t : kTypes) {
            std::string_view name(t.text);
            skip();
            if (text_.compare(at_, name.size(), name) != 0) continue;
            at_ += name.size();
            p.type = t.type;
            found = true;
            break;
        }
        if (!found) bad("a type");
        p.optional = accept('?');
        if (p.optional && p.type == ParamType::Tensor) p.type = ParamType::OptionalTensor;
        p.name = word();
        if (accept('=')) {
            p.has_default = true;
            p.default_value = value(p);
        }
        return p;
    }

    Value value(const Param& p) {
        skip();
        if (accept('[')) {
            std::vector<double> numbers;
            while (!accept(']')) {
                numbers.push_back(number());
                accept(',');
            }
            if (p.type == ParamType::Floats) return numbers;
            return Dims(numbers.begin(), numbers.end());
        }
        if (accept('\'')) {
            size_t end = text_.find('\'', at_);
            std::string s = text_.substr(at_, end - at_);
            at_ = end + 1;
            return s;
        }
        if (std::isalpha(text_[at_])) {
            std::string w = word();
            if (w == "None") return {};
            if (w == "True") return boolean(p, true);
            if (w == "False") return boolean(p, false);
            for (int i = 0; i < kDTypes; ++i)
                if (w == name(DType(i))) return DType(i);
            if (w == "inf") return scalar(p, std::numeric_limits<double>::infinity(), true);
            bad("a default value");
        }
        size_t start = at_;
        double v = number();
        bool floating = text_.substr(start, at_ - start).find_first_of(".e") != std::string::npos;
        return scalar(p, v, floating);
    }

    static Value boolean(const Param& p, bool v) {
        if (p.type == ParamType::Scalar || p.type == ParamType::Operand) return Scalar(v);
        return v;
    }

    static Value scalar(const Param& p, double v, bool floating) {
        switch (p.type) {
            case ParamType::Float:
                return v;
            case ParamType::Ints:
                return Dims{static_cast<int64_t>(v)};
            case ParamType::Scalar:
            case ParamType::Operand:
                return floating ? Scalar(v) : Scalar(static_cast<int64_t>(v));
            default:
                return static_cast<int64_t>(v);
        }
    }

    double number() {
        skip();
        size_t used = 0;
        double v = 0;
        if (text_.compare(at_, 4, "-inf") == 0) {
            at_ += 4;
            return -std::numeric_limits<double>::infinity();
        }
        try {
            v = std::stod(text_.substr(at_), &used);
        } catch (const std::exception&) {
            bad("a number");
        }
        at_ += used;
        return v;
    }

    void results(Schema& s) {
        s.results = 0;
        bool tuple = accept('(');
        do {
            std::string type = word();
            ++s.results;
            if (accept('[')) {
                expect(']');
                s.list_result = true;
            }
            skip();
            if (tuple && at_ < text_.size() && (std::isalpha(text_[at_]) || text_[at_] == '_'))
                s.result_names.push_back(word());
        } while (tuple && accept(','));
        if (tuple) expect(')');
        if (s.result_names.size() != s.results) s.result_names.clear();
    }

    std::string word() {
        skip();
        size_t start = at_;
        while (at_ < text_.size() &&
               (std::isalnum(text_[at_]) || text_[at_] == '_' || text_[at_] == '.'))
            ++at_;
        if (at_ == start) bad("a name");
        return text_.substr(start, at_ - start);
    }
    void skip() {
        while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    }
    bool accept(char c) {
        skip();
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!accept(c)) bad(std::string("'") + c + "'");
    }
    [[noreturn]] void bad(const std::string& expected) {
        fail<RuntimeError>("schema '", text_, "': expected ", expected, " at position ", at_);
    }

    const std::string& text_;
    size_t at_ = 0;
};

}  // namespace

Schema parse_schema(const std::string& text) { return Parser(text).parse(); }

}  // namespace kagari
