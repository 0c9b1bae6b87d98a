<?php
/**
 * The plugin's settings: where the service is, whose forms they are, and where a listing keeps its home's id.
 *
 * @package Intresse
 */

defined( 'ABSPATH' ) || exit;

const INTRESSE_OPTION = 'intresse';

/**
 * The settings, complete.
 *
 * @return array{service: string, customer: string, estate_field: string, remember: bool}
 */
function intresse_settings() {
	$stored = get_option( INTRESSE_OPTION, array() );
	return wp_parse_args(
		is_array( $stored ) ? $stored : array(),
		array(
			'service'      => '',
			'customer'     => '',
			'estate_field' => 'intresse_estate',
			'remember'     => false,
		)
	);
}

/**
 * Whether forms can be shown: the service and the customer are known.
 *
 * @return bool
 */
function intresse_is_configured() {
	$settings = intresse_settings();
	return '' !== $settings['service'] && '' !== $settings['customer'];
}

/**
 * An id as Vitec and the service have them: 1-40 letters, digits, `_`, `-` and `.`.
 *
 * @param mixed $value What was typed or stored.
 * @return string The id, or an empty string if it is not a possible id.
 */
function intresse_id( $value ) {
	$id = is_scalar( $value ) ? trim( (string) $value ) : '';
	return preg_match( '/\A(?!\.{1,2}\z)[A-Za-z0-9_.-]{1,40}\z/', $id ) ? $id : '';
}

/**
 * The origin of the service: https, or http on this machine, without a path.
 *
 * @param mixed $value What was typed.
 * @return string The origin, or an empty string if it is not a possible origin.
 */
function intresse_origin( $value ) {
	$parts  = wp_parse_url( is_string( $value ) ? trim( $value ) : '' );
	$scheme = isset( $parts['scheme'] ) ? strtolower( $parts['scheme'] ) : '';
	$host   = isset( $parts['host'] ) ? strtolower( $parts['host'] ) : '';
	$local  = in_array( $host, array( 'localhost', '127.0.0.1' ), true );
	if ( ! preg_match( '/\A[a-z0-9\x80-\xff.-]+\z/', $host ) || ( 'https' !== $scheme && ! ( 'http' === $scheme && $local ) ) ) {
		return '';
	}
	return $scheme . '://' . $host . ( isset( $parts['port'] ) ? ':' . (int) $parts['port'] : '' );
}

/**
 * Validates the submitted settings. A wrong value is reported, and the stored one is kept.
 *
 * @param mixed $submitted The settings form's fields.
 * @return array<string, mixed>
 */
function intresse_sanitize_settings( $submitted ) {
	$submitted = is_array( $submitted ) ? $submitted : array();
	$settings  = intresse_settings();
	$faults    = array(
		'service'  => __( 'Enter the address of the service like this: https://leads.example.se', 'intresse' ),
		'customer' => __( 'Enter the customer id that the operator of the service gave you, such as M12345.', 'intresse' ),
	);
	$read      = array(
		'service'  => intresse_origin( isset( $submitted['service'] ) ? $submitted['service'] : '' ),
		'customer' => intresse_id( isset( $submitted['customer'] ) ? $submitted['customer'] : '' ),
	);
	foreach ( $read as $name => $value ) {
		$typed = isset( $submitted[ $name ] ) ? trim( (string) $submitted[ $name ] ) : '';
		if ( '' === $value && '' !== $typed ) {
			add_settings_error( INTRESSE_OPTION, $name, $faults[ $name ] );
			continue;
		}
		$settings[ $name ] = $value;
	}
	$field                    = isset( $submitted['estate_field'] ) ? sanitize_text_field( $submitted['estate_field'] ) : '';
	$settings['estate_field'] = '' === $field ? 'intresse_estate' : $field;
	$settings['remember']     = ! empty( $submitted['remember'] );
	return $settings;
}

add_action(
	'init',
	static function () {
		register_setting(
			INTRESSE_OPTION,
			INTRESSE_OPTION,
			array(
				'type'              => 'object',
				'sanitize_callback' => 'intresse_sanitize_settings',
			)
		);
		// The editor's preview reads it; the page shows it to everybody anyway.
		register_post_meta(
			'',
			intresse_settings()['estate_field'],
			array(
				'type'              => 'string',
				'single'            => true,
				'show_in_rest'      => true,
				'sanitize_callback' => 'sanitize_text_field',
				'auth_callback'     => static function ( $allowed, $key, $post_id ) {
					return current_user_can( 'edit_post', $post_id );
				},
			)
		);
	}
);
