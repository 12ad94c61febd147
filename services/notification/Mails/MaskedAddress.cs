namespace LocalPlus.Notification.Mails;

/// <summary>
/// An address as merchants and operators may see it: first character and top-level domain, a fixed number of dots
/// between, so that not even the length is told.
/// </summary>
internal static class MaskedAddress
{
    public static string Of(string address)
    {
        var at = address.LastIndexOf('@');
        var dot = address.LastIndexOf('.');
        return at < 1 || dot < at ? "***" : $"{address[0]}***@***{address[dot..]}";
    }
}
