namespace LocalPlus.Ledger.Audit;

/// <summary>
/// What a check of everything says while it runs: how far it is, and what it found, in words that name the row.
/// </summary>
internal sealed class AuditReport(TextWriter output, TimeProvider time)
{
    /// <summary>One wrong row can make many others look wrong; the first ones tell.</summary>
    private const int Shown = 50;
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);
    private long lastProgress = time.GetTimestamp();

    public int Findings { get; private set; }

    public void Say(string line) => output.WriteLine(line);

    public void Finding(string text)
    {
        if (++Findings <= Shown)
        {
            output.WriteLine($"✗ {text}");
        }
        else if (Findings == Shown + 1)
        {
            output.WriteLine("✗ and more, counted but not shown");
        }
    }

    /// <summary>Shown at most once a second.</summary>
    public void Progress(Func<string> line)
    {
        if (time.GetElapsedTime(lastProgress) >= Between)
        {
            lastProgress = time.GetTimestamp();
            output.WriteLine($"  … {line()}");
        }
    }
}
