using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.Resiliency;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Bindings;

/// <summary>Output bindings by name, for both APIs.</summary>
internal sealed class BindingService(SidecarRuntime runtime)
{
    public async Task<BindingAnswer> InvokeAsync(
        string name,
        string operation,
        ReadOnlyMemory<byte> data,
        IReadOnlyDictionary<string, string> metadata,
        CancellationToken cancel
    )
    {
        if (!runtime.Components.TryGet<IOutputBinding>(name, out var binding))
        {
            throw Failed(name, $"couldn't find output binding {name}");
        }
        if (operation.Length == 0)
        {
            throw Failed(name, "operation field is missing from request");
        }
        if (!binding.Operations.Contains(operation, StringComparer.Ordinal))
        {
            throw Failed(
                name,
                $"binding {name} does not support operation {operation}. supported operations:{string.Join(' ', binding.Operations)}"
            );
        }
        try
        {
            return await runtime
                .Resiliency.Outbound("Binding", name)
                .RunAsync(
                    token => binding.InvokeAsync(operation, data, metadata, token),
                    failed: null,
                    repeat: null,
                    once: false,
                    cancel
                );
        }
        catch (Exception problem) when (problem is BindingException or TimeoutException or CircuitOpenException)
        {
            throw Failed(name, problem.Message);
        }
    }

    private static ApiException Failed(string name, string cause) =>
        ApiException.Simple(
            500,
            GrpcCode.Internal,
            "ERR_INVOKE_OUTPUT_BINDING",
            $"error invoking output binding {name}: {cause}"
        );
}
