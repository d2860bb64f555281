/* A double of MindSpore Lite's C library, for tests and for nothing else: the same C API, no inference.
 *
 * A model file is a small flatbuffer header (identifier MSL2) and then lines of text that say which fixed graph to be and
 * how to misbehave; __init__.py writes them and lists them. What the real library does in silence is done here too:
 * output buffers that the next predict overwrites, no lock around them, no check of layout, affinity or numbers, outputs
 * of one free dimension until the inputs' sizes are known, a model that is of no more use after a failed resize, contexts
 * owned by the model that was built with them.
 *
 * -DPREFIX=OH_AI_ gives OpenHarmony's names; -DWITHOUT_RESIZE leaves a symbol out.
 */

#define _POSIX_C_SOURCE 200809L

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef PREFIX
#define PREFIX MS
#endif
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define API(name) JOIN(PREFIX, name)

enum { TENSORS = 8, RANK = 32, HEADER = 72 };
enum { FLOAT16 = 42, FLOAT32 = 43, NCHW = 0, NHWC = 1 };

#define STATUS(code) (0xF0000000u | (0x0FFFFFFFu & (0u - (uint32_t)(code))))

typedef struct {
    size_t count;
    void **list;
} HandleArray;

typedef struct {
    size_t rank;
    int64_t dims[RANK];
} ShapeInfo;

typedef struct {
    char name[64];
    int type, format;
    size_t rank;
    int64_t dims[RANK];
    void *data; /* made when first asked for, as in the real library */
    struct Model *model;
} Tensor;

typedef struct {
    int device_type;
} Device;

typedef struct {
    Device *device;
    bool owned;
} Context;

typedef struct Model {
    char *text;
    Context *context;
    bool built, usable, predicted;
    size_t inputs, outputs;
    Tensor input[TENSORS], output[TENSORS];
    void *input_list[TENSORS + 1], *output_list[TENSORS + 1];
} Model;

static atomic_long live, resizes;

/* Handles that were made and not destroyed, devices and contexts included. */
long mslite_double_live(void) { return atomic_load(&live); }

/* Successful calls of ModelResize so far. */
long mslite_double_resizes(void) { return atomic_load(&resizes); }

static void *make(const char *what, size_t size) {
    const char *null = getenv("MSLITE_DOUBLE_NULL");
    if (null != NULL && strcmp(null, what) == 0) {
        return NULL;
    }
    atomic_fetch_add(&live, 1);
    return calloc(1, size);
}

static void release(void *handle) {
    if (handle != NULL) {
        atomic_fetch_sub(&live, 1);
        free(handle);
    }
}

/* What the model file says after `key`, or null. */
static const char *told(const Model *model, const char *key) {
    const size_t length = strlen(key);
    for (const char *line = model->text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && (line[length] == ' ' || line[length] == '\n')) {
            return line + length;
        }
    }
    return NULL;
}

static long number(const Model *model, const char *key, long otherwise) {
    const char *value = told(model, key);
    return value == NULL ? otherwise : strtol(value, NULL, 0);
}

static uint32_t error(const char *function, const char *text, uint32_t status) {
    const char *log = getenv("MSLITE_DOUBLE_LOG");
    if (log != NULL && strcmp(log, "stdout") == 0) { /* as some builds do */
        printf("ERROR [mslite_double.c:1] %s] %s\n", function, text);
        return status;
    }
    fprintf(stderr, "[ERROR] ME(1,double,double):2025-01-01-00:00:00.000.000 [mslite_double.c:1] %s] %s\n", function, text);
    return status;
}

static void wait_ms(long ms) {
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* ---- contexts and devices */

void *API(ContextCreate)(void) { return make("Context", sizeof(Context)); }

static void free_context(Context *context) {
    if (context != NULL) {
        release(context->device);
        release(context);
    }
}

void API(ContextDestroy)(void **handle) {
    Context *context = *handle;
    if (context->owned) {
        abort(); /* the real one would be freed twice */
    }
    free_context(context);
    *handle = NULL;
}

void API(ContextSetThreadNum)(void *context, int32_t threads) { (void)context, (void)threads; }
void API(ContextSetThreadAffinityMode)(void *context, int mode) { (void)context, (void)mode; }
void API(ContextSetThreadAffinityCoreList)(void *context, const int32_t *cores, size_t count) {
    (void)context, (void)cores, (void)count;
}
void *API(DeviceInfoCreate)(int type) {
    Device *device = make("Device", sizeof(Device));
    if (device != NULL) {
        device->device_type = type;
    }
    return device;
}
void API(DeviceInfoSetEnableFP16)(void *device, bool on) { (void)device, (void)on; }
void API(ContextAddDeviceInfo)(void *context, void *device) { ((Context *)context)->device = device; }

/* ---- tensors */

static size_t item_size(int type) {
    switch (type) {
        case 33:
        case 38:
        case 42:
            return 2;
        case 34:
        case 39:
        case FLOAT32:
            return 4;
        case 35:
        case 40:
        case 44:
            return 8;
        default:
            return 1;
    }
}

static size_t elements(const Tensor *tensor) {
    size_t count = 1;
    for (size_t i = 0; i < tensor->rank; ++i) {
        count *= tensor->dims[i] < 0 ? 0 : (size_t)tensor->dims[i];
    }
    return count;
}

static size_t bytes_of(const Tensor *tensor) { return elements(tensor) * item_size(tensor->type); }

static void *data_of(Tensor *tensor) {
    if (tensor->data == NULL) {
        tensor->data = calloc(1, bytes_of(tensor) + 1);
    }
    return tensor->data;
}

const char *API(TensorGetName)(void *handle) {
    const Tensor *tensor = handle;
    if (told(tensor->model, "null_name")) {
        return NULL;
    }
    return tensor->model->predicted && told(tensor->model, "rename_outputs") ? "renamed" : tensor->name;
}
int API(TensorGetDataType)(void *handle) {
    const Tensor *tensor = handle;
    return (int)number(tensor->model, "report_type", tensor->type);
}
int API(TensorGetFormat)(void *handle) { return ((Tensor *)handle)->format; }
const int64_t *API(TensorGetShape)(void *handle, size_t *rank) {
    const Tensor *tensor = handle;
    *rank = (size_t)number(tensor->model, "report_rank", (long)tensor->rank);
    return told(tensor->model, "null_shape") ? NULL : tensor->dims;
}
size_t API(TensorGetDataSize)(void *handle) {
    const Tensor *tensor = handle;
    return bytes_of(tensor) + (size_t)number(tensor->model, "extra_bytes", 0);
}
const void *API(TensorGetData)(void *handle) {
    Tensor *tensor = handle;
    return told(tensor->model, "null_data") ? NULL : tensor->data;
}
void *API(TensorGetMutableData)(void *handle) {
    Tensor *tensor = handle;
    return told(tensor->model, "null_input_data") ? NULL : data_of(tensor);
}

/* ---- graphs: what each gives, and of what shape */

static Tensor *add(Model *model, const char *name, int type, size_t rank, const int64_t *dims) {
    Tensor *tensor = &model->output[model->outputs++];
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    tensor->type = type;
    tensor->format = NCHW;
    tensor->rank = rank;
    memcpy(tensor->dims, dims, rank * sizeof *dims);
    tensor->model = model;
    return tensor;
}

/* The shape of a 4-D input as NCHW: outputs are, whatever the input. */
static void planes_first(const Tensor *input, int64_t dims[RANK]) {
    memcpy(dims, input->dims, RANK * sizeof *dims);
    if (input->rank == 4 && input->format == NHWC) {
        dims[1] = input->dims[3], dims[2] = input->dims[1], dims[3] = input->dims[2];
    }
}

/* The nearest float16 that is no larger in size; of what is too large or too small for it, nothing sensible or 0. */
static uint16_t half(float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000u, size = bits & 0x7FFFFFFFu;
    return (uint16_t)(size < 0x38800000u ? sign : sign | (size - 0x38000000u) >> 13);
}

/* The input's value number `i`, counted as NCHW. */
static float value(const Tensor *input, const int64_t dims[RANK], size_t i) {
    const float *data = input->data;
    if (input->rank == 4 && input->format == NHWC) {
        const size_t c = (size_t)dims[1], plane = (size_t)(dims[2] * dims[3]);
        const size_t n = i / (c * plane), channel = i / plane % c;
        return data[(n * plane + i % plane) * c + channel];
    }
    return data[i];
}

static void shape_outputs(Model *model) {
    Tensor *input = &model->input[0];
    const char *graph = told(model, "graph");
    int64_t dims[RANK] = {0};
    planes_first(input, dims);
    for (size_t i = 0; i < model->outputs; ++i) {
        free(model->output[i].data);
        model->output[i].data = NULL;
    }
    model->outputs = 0;
    if (strncmp(graph, " identity", 9) == 0) {
        add(model, "y", input->type, input->rank, input->dims);
    } else if (strncmp(graph, " affine", 7) == 0) {
        add(model, "y", input->type, input->rank, dims);
    } else if (strncmp(graph, " contract", 9) == 0) {
        add(model, "same", input->type, input->rank, dims);
        add(model, "twice", input->type, input->rank, dims);
        add(model, "total", input->type, 2, dims);
    } else if (strncmp(graph, " ssd", 4) == 0) {
        char *end;
        const int64_t anchors = strtol(graph + 4, &end, 10), columns = strtol(end, NULL, 10);
        const int type = told(model, "half_outputs") ? FLOAT16 : FLOAT32;
        add(model, "deltas", type, 3, (int64_t[]){1, anchors, 4});
        add(model, "logits", type, 3, (int64_t[]){1, anchors, columns});
    }
    bool free_sizes = false;
    for (size_t i = 0; i < model->inputs; ++i) {
        for (size_t d = 0; d < model->input[i].rank; ++d) {
            free_sizes = free_sizes || model->input[i].dims[d] < 0;
        }
    }
    for (size_t i = 0; i < model->outputs; ++i) {
        if (free_sizes) {
            model->output[i].rank = 1;
            model->output[i].dims[0] = -1;
        }
        model->output_list[i] = &model->output[i];
    }
}

static void compute(Model *model) {
    const Tensor *input = &model->input[0];
    const char *graph = told(model, "graph");
    const size_t count = elements(input);
    int64_t dims[RANK];
    planes_first(input, dims);
    for (size_t o = 0; o < model->outputs; ++o) {
        Tensor *output = &model->output[o];
        float *out = data_of(output);
        if (strncmp(graph, " identity", 9) == 0) {
            memcpy(out, input->data, bytes_of(input));
        } else if (strncmp(graph, " affine", 7) == 0) {
            char *end;
            const float a = strtof(graph + 7, &end), b = strtof(end, NULL);
            for (size_t i = 0; i < count; ++i) {
                out[i] = a * value(input, dims, i) + b;
            }
        } else if (strncmp(graph, " contract", 9) == 0 && o < 2) {
            for (size_t i = 0; i < count; ++i) {
                out[i] = (float)(o + 1) * value(input, dims, i);
            }
        } else if (strncmp(graph, " contract", 9) == 0) {
            const size_t plane = (size_t)(dims[2] * dims[3]);
            memset(out, 0, bytes_of(output));
            for (size_t i = 0; i < count; ++i) {
                out[i / plane] += value(input, dims, i);
            }
        } else { /* ssd: numbers that depend on the picture, and on where in it a colour is */
            for (size_t i = 0; i < elements(output); ++i) {
                const float number = value(input, dims, i * 7919 % count) - (o == 0 ? 0.0f : 2.0f);
                if (output->type == FLOAT16) {
                    ((uint16_t *)output->data)[i] = half(number);
                } else {
                    out[i] = number;
                }
            }
        }
    }
}

/* ---- models */

void *API(ModelCreate)(void) { return make("Model", sizeof(Model)); }

void API(ModelDestroy)(void **handle) {
    Model *model = *handle;
    for (size_t i = 0; i < TENSORS; ++i) {
        free(model->input[i].data);
        free(model->output[i].data);
    }
    free(model->text);
    free_context(model->context);
    release(model);
    *handle = NULL;
}

static char *read_text(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    char *text = calloc(1, 1 << 16);
    const size_t size = fread(text, 1, (1 << 16) - 1, file);
    fclose(file);
    const bool whole = size > HEADER && memcmp(text + 4, "MSL2", 4) == 0 &&
                       strncmp(text + HEADER, "double 1\n", 9) == 0 && strcmp(text + size - 5, "\nend\n") == 0;
    memmove(text, text + HEADER, (1 << 16) - HEADER);
    if (!whole) {
        free(text);
        return NULL;
    }
    return text;
}

static void read_inputs(Model *model) {
    const char *line = model->text;
    while ((line = strstr(line, "\ninput ")) != NULL && model->inputs < TENSORS) {
        Tensor *tensor = &model->input[model->inputs];
        int used = 0;
        sscanf(line, "\ninput %63s %d %d%n", tensor->name, &tensor->type, &tensor->format, &used);
        line += used;
        while (*line == ' ') {
            char *end;
            tensor->dims[tensor->rank++] = strtol(line, &end, 10);
            line = end;
        }
        tensor->model = model;
        model->input_list[model->inputs++] = tensor;
    }
}

uint32_t API(ModelBuildFromFile)(void *handle, const char *path, int type, void *context) {
    Model *model = handle;
    if (model->built) {
        return error("Build", "Model has been built.", STATUS(12));
    }
    model->context = context;
    model->context->owned = true;
    if (model->context->device == NULL || model->context->device->device_type != 0 || type != 0) {
        return error("Build", "Unsupported device or model type.", STATUS(7));
    }
    model->text = read_text(path);
    if (model->text == NULL) {
        error("Verify", "The model buffer is invalid and fail to create graph.", 0);
        return error("Build", "Init session failed.", STATUS(1));
    }
    if (told(model, "build_abort")) {
        error("Build", "About to abort.", 0);
        abort();
    }
    wait_ms(number(model, "build_sleep", 0));
    const size_t megabytes = (size_t)number(model, "build_memory", 0);
    if (megabytes > 0) {
        char *memory = malloc(megabytes << 20);
        if (memory == NULL) {
            return error("Build", "Malloc failed.", STATUS(6));
        }
        memset(memory, 1, megabytes << 20);
        free(memory);
    }
    if (told(model, "build_status")) {
        error("Schedule", "The operator is not known to the double.", 0);
        return error("Build", "Init session failed.", (uint32_t)number(model, "build_status", 0));
    }
    read_inputs(model);
    shape_outputs(model);
    model->built = model->usable = true;
    return 0;
}

static HandleArray array_of(const Model *model, size_t count, void **list, const char *what) {
    char key[64];
    snprintf(key, sizeof key, "%s_count", what);
    HandleArray array = {(size_t)number(model, key, (long)count), list};
    snprintf(key, sizeof key, "%s_null_list", what);
    if (told(model, key)) {
        array.list = NULL;
    }
    snprintf(key, sizeof key, "%s_null_handle", what);
    if (told(model, key)) {
        list[0] = NULL;
    }
    return array;
}

HandleArray API(ModelGetInputs)(void *handle) {
    Model *model = handle;
    return array_of(model, model->inputs, model->input_list, "inputs");
}

HandleArray API(ModelGetOutputs)(void *handle) {
    Model *model = handle;
    return array_of(model, model->outputs, model->output_list, "outputs");
}

#ifndef WITHOUT_RESIZE
uint32_t API(ModelResize)(void *handle, HandleArray inputs, ShapeInfo *shapes, size_t count) {
    Model *model = handle;
    if (inputs.count != model->inputs || count != model->inputs) {
        return error("Resize", "Wrong number of inputs.", STATUS(600));
    }
    const long refused = number(model, "refuse_size", -1), late = number(model, "refuse_size_late", -1);
    for (size_t i = 0; i < count; ++i) {
        for (size_t d = 0; d < shapes[i].rank; ++d) {
            if (shapes[i].dims[d] < 0 || shapes[i].dims[d] == refused) {
                model->usable = false; /* as the real one: nothing says so, and nothing works any more */
                return error("Resize", "Input dims[0] is refused.", STATUS(1));
            }
        }
    }
    for (size_t i = 0; i < count && !told(model, "resize_lies"); ++i) {
        Tensor *input = &model->input[i];
        input->rank = shapes[i].rank;
        memcpy(input->dims, shapes[i].dims, sizeof input->dims);
        free(input->data);
        input->data = NULL;
    }
    for (size_t i = 0; i < count; ++i) {
        for (size_t d = 0; d < shapes[i].rank; ++d) {
            model->usable = model->usable && (late < 0 || shapes[i].dims[d] != late);
        }
    }
    shape_outputs(model);
    atomic_fetch_add(&resizes, 1);
    return 0;
}
#endif

uint32_t API(ModelPredict)(void *handle, HandleArray inputs, HandleArray *outputs, void *before, void *after) {
    Model *model = handle;
    (void)before, (void)after;
    if (told(model, "predict_abort")) {
        abort();
    }
    wait_ms(number(model, "predict_sleep", 0));
    if (!model->usable || inputs.count != model->inputs) {
        return error("Predict", "Wrong input size, or a model of no use.", STATUS(1));
    }
    if (told(model, "predict_status")) {
        return error("Run", "The kernel failed.", (uint32_t)number(model, "predict_status", 0));
    }
    const char *rare = told(model, "refuse_value"); /* fails when the first number of the first input is this */
    if (rare != NULL && *(const float *)data_of(&model->input[0]) == strtof(rare, NULL)) {
        model->usable = false;
        return error("Run", "The kernel failed.", STATUS(303));
    }
    for (size_t i = 0; i < model->inputs; ++i) {
        data_of(&model->input[i]);
    }
    for (size_t i = 0; told(model, "move_outputs") && i < model->outputs; ++i) {
        void *old = model->output[i].data; /* a new buffer before the old one is gone, lest it be the same */
        model->output[i].data = calloc(1, bytes_of(&model->output[i]) + 1);
        free(old);
    }
    compute(model);
    model->predicted = true;
    *outputs = array_of(model, model->outputs, model->output_list, "predicted");
    return 0;
}
