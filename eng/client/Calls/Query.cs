namespace LocalPlus.Client.Calls;

/// <summary>A path with its query.</summary>
internal static class Query
{
    public static string Of(string path, IEnumerable<(string Name, string Value)> parameters)
    {
        var query = string.Join('&', parameters.Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value)}"));
        return query.Length == 0 ? path : $"{path}?{query}";
    }
}
