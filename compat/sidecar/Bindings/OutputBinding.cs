using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Bindings;

/// <summary>An output binding could not do what was asked.</summary>
public sealed class BindingException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>What a binding answers: bytes and metadata, either may be missing.</summary>
internal sealed record BindingAnswer(byte[]? Data, IReadOnlyDictionary<string, string>? Metadata);

/// <summary>An output binding.</summary>
internal interface IOutputBinding : IComponent
{
    IReadOnlyList<string> Operations { get; }

    Task<BindingAnswer> InvokeAsync(
        string operation,
        ReadOnlyMemory<byte> data,
        IReadOnlyDictionary<string, string> metadata,
        CancellationToken cancel
    );
}
