namespace LocalPlus.Client.Catalog;

/// <summary>How lines of the table begin, by what the verb does.</summary>
internal static class Lines
{
    public static ApiVerb Pages(string noun, string name, string path, string needs, string summary) =>
        new(VerbKind.Pages, noun, name, $"GET {path}", needs, summary);

    public static ApiVerb Rows(string noun, string name, string path, string needs, string summary) =>
        new(VerbKind.Rows, noun, name, $"GET {path}", needs, summary);

    public static ApiVerb Show(string noun, string name, string path, string needs, string summary) =>
        new(VerbKind.Show, noun, name, $"GET {path}", needs, summary);

    public static ApiVerb File(string noun, string name, string path, string needs, string summary) =>
        new(VerbKind.File, noun, name, $"GET {path}", needs, summary);

    public static ApiVerb Post(string noun, string name, string path, string needs, string summary) =>
        new(VerbKind.Write, noun, name, $"POST {path}", needs, summary);

    /// <summary>A merchant's POST, which takes an Idempotency-Key.</summary>
    public static ApiVerb Keyed(string noun, string name, string path, string needs, string summary) =>
        Post(noun, name, path, needs, summary) with
        {
            IsKeyed = true,
        };

    public static ApiVerb Delete(string noun, string name, string path, string needs, string summary) =>
        new(VerbKind.Write, noun, name, $"DELETE {path}", needs, summary);

    /// <summary>An operator's decision, which has a reason.</summary>
    public static ApiVerb Decide(string noun, string name, string path, string needs, string summary) =>
        Post(noun, name, path, needs, summary) with
        {
            Body = "reason!",
        };

    /// <summary>An operator's decision that can not be taken back.</summary>
    public static ApiVerb Danger(string noun, string name, string path, string needs, string summary) =>
        Decide(noun, name, path, needs, summary) with
        {
            IsDangerous = true,
        };
}
