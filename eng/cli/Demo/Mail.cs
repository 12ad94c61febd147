namespace LocalPlus.Cli;

/// <summary>What the SMTP catcher caught: one file a mail.</summary>
/// <param name="Id">Its Message-ID: what comes twice has it twice.</param>
internal sealed record Mail(string To, string Subject, string Text, string Id)
{
    public static IReadOnlyList<Mail> AddressedTo(Checkout checkout, string address)
    {
        var folder = Path.Combine(checkout.Mail, "new");
        return !Directory.Exists(folder)
            ? []
            :
            [
                .. Directory
                    .EnumerateFiles(folder)
                    .Order(StringComparer.Ordinal)
                    .Select(Read)
                    .Where(m => m.To.Contains(address, StringComparison.OrdinalIgnoreCase)),
            ];
    }

    private static Mail Read(string file)
    {
        var text = File.ReadAllText(file).ReplaceLineEndings("\n");
        var body = text.IndexOf("\n\n", StringComparison.Ordinal);
        var head = text[..body]
            .Replace("\n ", " ", StringComparison.Ordinal)
            .Replace("\n\t", " ", StringComparison.Ordinal)
            .Split('\n');
        return new Mail(Header(head, "To"), Header(head, "Subject"), text[(body + 2)..], Header(head, "Message-ID"));
    }

    private static string Header(string[] head, string name) =>
        head.FirstOrDefault(l => l.StartsWith($"{name}:", StringComparison.OrdinalIgnoreCase))
            ?[(name.Length + 1)..].Trim()
        ?? "";
}
