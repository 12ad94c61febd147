namespace LocalPlus.Console.Api;

// What the pages of the audit show of the platform's answers.

public sealed record AuditChangeView(string Field, string? Before, string? After);

public sealed record AuditEntryView(
    string Id,
    string Service,
    string Action,
    string? Target,
    string ActorKind,
    string Actor,
    string? Role,
    string? Address,
    string? Reason,
    string RequestId,
    IReadOnlyList<AuditChangeView>? Changes,
    DateTimeOffset OccurredAt
);

/// <param name="Hash">The head of the chain, in base64: kept elsewhere, it shows that nothing was cut off.</param>
public sealed record AuditVerification(bool Verified, long Size, string Hash, string? Problem, long? Position);

/// <summary>What is looked for, as the query of an address; what is empty is left out.</summary>
internal static class AuditFilter
{
    public static string On(string path, params (string Name, string? Value)[] filters)
    {
        var query = string.Join(
            '&',
            filters
                .Where(filter => filter.Value is { Length: > 0 })
                .Select(filter => $"{filter.Name}={Uri.EscapeDataString(filter.Value!.Trim())}")
        );
        return query.Length == 0 ? path : $"{path}?{query}";
    }
}
