using LocalPlus.Client.Catalog;

namespace LocalPlus.Client.Calls;

/// <summary>What an answer that is no success means for whoever asked: exit code, words, the next step.</summary>
internal static class Refusal
{
    private const string StepUp = "step_up_required";

    public static int ExitCode(int status) =>
        status switch
        {
            400 or 413 or 415 => ExitCodes.Usage,
            401 or 403 => ExitCodes.Refused,
            404 => ExitCodes.NotFound,
            0 or 429 or >= 500 => ExitCodes.Unavailable,
            _ => ExitCodes.Refused,
        };

    /// <param name="verb">Null for a request that no line of the table describes.</param>
    public static CliFailure Of(ApiRequest request, ApiAnswer answer, Session session, ApiVerb? verb)
    {
        var code = answer.Problem("code");
        return new CliFailure(ExitCode(answer.Status), Message(request, answer, session), Next(answer, session, verb))
        {
            RequestId = answer.Problem("request_id"),
            Page = code is null ? null : $"docs/reference/problems.md#{code}",
        };
    }

    private static string Message(ApiRequest request, ApiAnswer answer, Session session)
    {
        var path = request.Path.Split('?')[0];
        var said = answer switch
        {
            { Status: 0 } => $"{session.Address}: no answer ({answer.Text})",
            _ when answer.Problem("code") is { } code => $"{code}: {answer.Problem("detail")}{Fields(answer)}",
            _ => $"{request.Method} {path} was answered {answer.Status}",
        };
        if (request.IsRead || !answer.IsUnknown)
        {
            return said;
        }

        return request.IdempotencyKey is { } key
            ? $"{said}\nWhether it was done is unknown. A repeat with the same key is safe: --idempotency-key {key}"
            : $"{said}\nWhether it was done is unknown. Look at the object before you repeat it.";
    }

    /// <summary>Which fields were wrong.</summary>
    private static string Fields(ApiAnswer answer) =>
        answer.Body?["errors"] is System.Text.Json.Nodes.JsonArray { Count: > 0 } errors
            ? $" ({string.Join(", ", errors.Select(e => $"{e?["pointer"]}: {e?["code"]}"))})"
            : "";

    private static string Next(ApiAnswer answer, Session session, ApiVerb? verb) =>
        answer switch
        {
            { Status: 0 } => session.IsLocal
                ? "./localplus up, or ./localplus status"
                : "look at the address and the network",
            { Status: 401 } when answer.Problem("code") == StepUp =>
                $"{session.Login} renews the sign-in, then the same command again",
            { Status: 401 } => session.IsPerson(verb)
                ? session.Login
                : $"{Shell.Self} profile list; the key is not taken",
            { Status: 403 } => session.IsPerson(verb) && verb is not null
                ? $"it needs {verb.Needs}; {Shell.Self} whoami says what you are, "
                    + $"{session.Login} signs in somebody else"
                    + (session.IsLocal && verb.IsOfOperators ? $", --role {verb.Needs} is enough here" : "")
                : $"it needs a key with {verb?.Needs ?? "the scope"}; {Shell.Self} keys create",
            { Status: 404 } => verb is null ? "look at the path" : $"{Shell.Self} {verb.Noun} list",
            { Status: 400 } => verb is null ? "look at the body" : $"{Shell.Self} help {verb.FullName}",
            { RetryAfter: { } seconds } => $"again in {seconds} s",
            { Status: >= 500 } => session.IsLocal ? "./localplus status" : "again in a moment",
            _ => "the page says what it means and what can be done",
        };
}
