namespace LocalPlus.Hosting;

/// <summary>
/// What this process was told when it published last, for operators: the relay writes it, whoever is asked reads it.
/// </summary>
internal sealed class OutboxHealth(TimeProvider time)
{
    private const int MaxLength = 300;
    private (string? Error, DateTimeOffset Since) trouble;
    private readonly Lock turn = new();

    /// <summary>Why publishing fails and since when; no error: it does not.</summary>
    public (string? Error, DateTimeOffset Since) Trouble
    {
        get
        {
            lock (turn)
            {
                return trouble;
            }
        }
    }

    public void Failed(Exception cause)
    {
        var (text, now) = (Text(cause), time.GetUtcNow());
        lock (turn)
        {
            trouble = (text, trouble.Error is null ? now : trouble.Since);
        }
    }

    public void Passed()
    {
        lock (turn)
        {
            trouble = default;
        }
    }

    /// <summary>A call that was given up says nothing by itself of what did not answer.</summary>
    private static string Text(Exception cause)
    {
        var text = cause is OperationCanceledException ? "The sidecar does not answer." : cause.Message;
        return text.Length > MaxLength ? text[..MaxLength] : text;
    }
}
