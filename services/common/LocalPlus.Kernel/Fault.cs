namespace LocalPlus.Kernel;

/// <summary>
/// A refusal that a caller can meet. <paramref name="Code"/> is stable for ever: it is what programs branch on, over
/// REST (problem+json member code) and gRPC (trailer localplus-code) alike.
/// </summary>
/// <param name="Code">snake_case, never reused or renamed.</param>
/// <param name="Status">The HTTP status it is answered with.</param>
/// <param name="Title">One short English phrase, the same for every occurrence.</param>
/// <param name="Retryable">Whether the very same request may succeed later.</param>
public sealed record Fault(string Code, int Status, string Title, bool Retryable = false)
{
    /// <summary>
    /// Whether the refusal stays what it is when the same request comes again, and so is stored as its answer. One
    /// that a corrected request, other credentials (400, 401, 403) or time (429, 5xx, retryable) would mend is not.
    /// </summary>
    public bool IsFinal => this is { Retryable: false, Status: >= 404 and < 500 and not 429 };
}

/// <summary>
/// One thing wrong in a request: a JSON pointer into the body (or a parameter's name) and a stable code.
/// </summary>
public sealed record FieldError(string Pointer, string Code);

/// <summary>
/// Refuses the request from anywhere below the edge; the edge turns it into problem+json or a gRPC status.
/// </summary>
public sealed class FaultException : Exception
{
    public FaultException(Fault fault, string detail, params FieldError[] errors)
        : base(detail)
    {
        Fault = fault;
        Errors = errors;
    }

    public Fault Fault { get; }

    public string Detail => Message;

    public IReadOnlyList<FieldError> Errors { get; }

    /// <summary>Further members of the problem document, e.g. available; null for none.</summary>
    public IReadOnlyDictionary<string, object?>? Extensions { get; init; }
}
