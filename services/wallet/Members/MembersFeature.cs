namespace LocalPlus.Wallet.Members;

/// <summary>The people in a programme.</summary>
internal static class MembersFeature
{
    public static IEndpointRouteBuilder MapMembers(this IEndpointRouteBuilder merchants) =>
        merchants.MapEnrolMember().MapGetMember().MapFindMember().MapListMembers();
}
